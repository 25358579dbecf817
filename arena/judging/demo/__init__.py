"""The sample event and its simulated contributors, which no real event uses."""
