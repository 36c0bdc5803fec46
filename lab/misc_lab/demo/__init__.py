"""The demonstration: sample photographs over a simulated narrow link, as pictures to look at."""
