"""What other libraries compute too; each is needed for its test alone."""
