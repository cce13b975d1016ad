import CHost

/// Whether the kernel's clock is kept right.
package enum ClockDiscipline {
    /// True when a time service has told the kernel that the clock is right (`adjtimex(2)`).
    package static var isSynchronized: Bool { chost_clock_is_synchronized() == 1 }
}
