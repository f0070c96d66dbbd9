"""The metadata database: one writer, many readers, one text for both dialects."""
