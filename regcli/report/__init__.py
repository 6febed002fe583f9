"""Results to documents, tables and text."""
