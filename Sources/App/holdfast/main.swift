import Glibc
import HostSystem

// Wiring alone: what the process was given, threads, signals, and which command line it is.

openStandardStreams()
returnLargeBlocks()
let status = await startHoldfast(processArguments(), processEnvironment())
exit(status)
