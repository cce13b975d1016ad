import CHost
import Glibc

/// A thread of the operating system that runs one function.
struct SystemThread: Sendable {
    private let handle: pthread_t

    /// Starts a thread; EAGAIN when the system has no more to give.
    ///
    /// Signals meant for the process are blocked in it, so that they interrupt the threads that await them.
    static func start(
        name: String,
        stackBytes: Int,
        _ body: @escaping @Sendable () -> Void
    ) throws(Errno) -> SystemThread {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        var all = sigset_t()
        var previous = sigset_t()
        sigfillset(&all)
        for synchronous in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS] { sigdelset(&all, synchronous) }
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        let box = Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var handle = pthread_t()
        let code = pthread_create(&handle, &attributes, threadMain, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw Errno(code, in: "pthread_create")
        }
        return SystemThread(handle: handle)
    }

    /// Waits for the thread's end and frees it; once.
    func join() { pthread_join(handle, nil) }

    /// Lets the thread free itself at its end.
    func detach() { pthread_detach(handle) }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

private func threadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
    chost_name_thread(String(body.name.prefix(15)))
    body.run()
    return nil
}
