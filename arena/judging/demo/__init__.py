"""The sample event and its simulated contributors. No real event uses anything of this."""
