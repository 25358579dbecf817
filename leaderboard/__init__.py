"""What follows from judgments: ratings, reliability, standings and their pages."""
