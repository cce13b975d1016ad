package import Bytes
import Strategy

extension ZonedTime {
    /// `2026-11-22 02:00:05`, on the clock that it was written by.
    package var dayAndTime: String { LocalTime(seconds: moment.seconds + Int64(offsetSeconds)).description }
}
