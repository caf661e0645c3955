"""What to say to a SIM: files, algorithms, card families and scripts (pure), and the station that runs scripts."""
