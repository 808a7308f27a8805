"""What is counted of trials: figures with intervals, results as a file, and whether one run is worse than another.

Belongs here: pure arithmetic over trials, and the stored form. Never here: living through a case, or a page.
"""
