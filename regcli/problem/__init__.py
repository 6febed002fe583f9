"""What is minimised: designs, families, penalties, lanes, and the objective that joins them."""
