# purpose: shared parts of scripts/interop, scripts/faults and scripts/bench: an oracle that shares no code with the program under test
# use:     from rig import process, trees, resticfile, data, board
# needs:   python3 3.9 or later on Linux, standard library only
