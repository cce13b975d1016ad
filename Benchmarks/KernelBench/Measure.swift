import Glibc

/// Nanoseconds of the processor time of this thread, so that other work on the machine disturbs less.
func threadNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// The shortest of several runs in seconds; runs until about `budget` seconds are used.
func bestSeconds(budget: Double = 1.5, _ body: () -> Void) -> Double {
    var best = Double.infinity
    var used = 0.0
    var runs = 0
    while used < budget && runs < 200 || runs < 3 {
        let start = threadNanoseconds()
        body()
        let seconds = Double(threadNanoseconds() - start) / 1e9
        best = min(best, seconds)
        used += seconds
        runs += 1
    }
    return best
}

/// `value` with `digits` behind the point.
func fixed(_ value: Double, _ digits: Int = 2) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let whole = Int64((value * scale).rounded())
    let fraction = String(whole % Int64(scale))
    return "\(whole / Int64(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// Prints one line: the name, GB/s, and a remark.
func report(_ name: String, bytes: Int, seconds: Double, _ remark: String = "") {
    let padded = name + String(repeating: " ", count: max(1, 34 - name.count))
    print("\(padded)\(fixed(Double(bytes) / seconds / 1e9, 3)) GB/s   \(remark)")
}

/// Prints one line: the name and a time in microseconds.
func report(_ name: String, seconds: Double) {
    let padded = name + String(repeating: " ", count: max(1, 34 - name.count))
    print("\(padded)\(fixed(seconds * 1e6, 1)) µs")
}

/// A whole file; empty when it cannot be read.
func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    let size = ftell(file)
    rewind(file)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = fread(buffer.baseAddress, 1, size, file)
    }
}
