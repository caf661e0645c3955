"""Use cases. One public function is one transaction; caller and time are arguments."""
