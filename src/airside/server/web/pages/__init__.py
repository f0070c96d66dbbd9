"""One module for each noun's pages: each page a pure function from a caller and a query to a view."""
