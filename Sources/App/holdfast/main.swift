import Glibc
import HostSystem

// Wiring alone: what the process was given, threads, signals, and which command line it is.

openStandardStreams()
returnLargeBlocks()
let openFiles = raiseOpenFileLimit()
// restic reports progress on this signal; until we do, it must at least not end a backup.
signal(SIGUSR1, SIG_IGN)
let status = await startHoldfast(processArguments(), processEnvironment(), openFiles: openFiles)
exit(status)
