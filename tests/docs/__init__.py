"""What the documentation says, held against what there is: its commands, their output, its links and pictures."""
