"""One module for each noun's pages."""
