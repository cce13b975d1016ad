import Bytes
import Foundation
import HostSystem

/// A recorded machine: folders with the files and links that sysfs, udev and proc would show.
final class FakeMachine {
    private let scratch = Scratch()

    var sources: DiskSources { DiskSources(root: scratch.bytes) }
    var path: String { scratch.path }

    func file(_ name: String, _ text: String) { file(name, Array(text.utf8)) }

    func file(_ name: String, _ bytes: [UInt8]) {
        let full = scratch.path + name
        folder((name as NSString).deletingLastPathComponent)
        _ = FileManager.default.createFile(atPath: full, contents: Data(bytes))
    }

    func folder(_ name: String) {
        try? FileManager.default.createDirectory(atPath: scratch.path + name, withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) {
        folder((name as NSString).deletingLastPathComponent)
        try? FileManager.default.createSymbolicLink(atPath: scratch.path + name, withDestinationPath: target)
    }

    /// A block device at its place below `/sys/devices`, with the links that lead there.
    @discardableResult
    func block(_ place: String, _ number: String, _ attributes: [String: String] = [:]) -> String {
        let path = "/sys/devices/" + place
        let name = (place as NSString).lastPathComponent
        file(path + "/dev", number + "\n")
        file(path + "/size", "2097152\n")
        file(path + "/removable", "0\n")
        folder(path + "/slaves")
        for (key, value) in attributes { file(path + "/" + key, value + "\n") }
        link("/sys/dev/block/" + number, to: "../../devices/" + place)
        link("/sys/class/block/" + name, to: "../../devices/" + place)
        return path
    }

    /// A SCSI disk: its `device` is the folder above `block`.
    @discardableResult
    func scsi(_ above: String, _ name: String, _ number: String, _ attributes: [String: String] = [:]) -> String {
        let path = block(above + "/block/" + name, number, attributes)
        link(path + "/device", to: "../..")
        return path
    }

    func partition(_ whole: String, _ name: String, _ number: String) {
        let place = String(whole.dropFirst("/sys/devices/".count)) + "/" + name
        block(place, number, ["partition": "1"])
    }

    func slave(_ device: String, _ names: String...) {
        for name in names {
            let place = try? FileManager.default.destinationOfSymbolicLink(
                atPath: scratch.path + "/sys/class/block/" + name
            )
            link(device + "/slaves/" + name, to: scratch.path + "/sys/class/block/" + (place ?? "missing"))
        }
    }

    /// Asks while the folders are sure to be there.
    func disks(below path: ByteString) throws -> DiskSet { try sources.disks(below: path) }

    func mounts(_ lines: String...) { file("/proc/self/mountinfo", lines.joined(separator: "\n") + "\n") }
}

/// Where a USB disk hangs.
let usbPort = "pci0000:00/0000:00:14.0/usb2/2-1"
/// The SCSI address of a USB disk.
let usbDisk = usbPort + "/2-1:1.0/host4/target4:0:0/4:0:0:0"
/// The SCSI address of the first SATA disk.
let sataDisk = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0"
/// The SCSI address of the second SATA disk.
let secondSATADisk = "pci0000:00/0000:00:17.0/ata2/host1/target1:0:0/1:0:0:0"

/// The page on which a SCSI disk has its serial number.
func serialPage(_ serial: String) -> [UInt8] { [0, 0x80, 0, UInt8(serial.utf8.count)] + Array(serial.utf8) }
