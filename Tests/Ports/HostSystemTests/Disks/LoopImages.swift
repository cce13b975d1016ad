import Bytes
import Foundation
import HostSystem

/// Images with file systems on loop devices, mounted below a scratch folder; all is undone with the owner, whatever happened.
final class LoopImages {
    let scratch = Scratch()
    private var devices: [String] = []
    private var points: [String] = []

    /// Whether this user and kernel let us; says so aloud when not.
    static func areHere(_ identifier: String) -> Bool {
        let line =
            "[ $(id -u) = 0 ] && [ -e /dev/loop-control ] && PATH=$PATH:/usr/sbin:/sbin && command -v losetup mkfs.ext4 blkid"
        if (try? Scratch.shell(line + " >/dev/null && losetup -f >/dev/null 2>&1")) == 0 { return true }
        skip(identifier, "needs root, loop devices, e2fsprogs and blkid")
        return false
    }

    deinit {
        for point in points.reversed() { _ = try? Scratch.shell("umount -l '\(point)' 2>/dev/null") }
        for device in devices { _ = try? Scratch.shell("/usr/sbin/losetup -d \(device) 2>/dev/null") }
    }

    var path: String { scratch.path }

    /// Makes an image; nil, said aloud, when the program is missing.
    func image(_ name: String, _ command: String, mebibytes: Int = 16) -> String? {
        let recipe = ImageRecipe(kind: .ext4, command: command, mebibytes: mebibytes)
        return recipe.make(path + "/" + name) ? path + "/" + name : nil
    }

    /// Attaches an image; the device's path.
    func attach(_ image: String) throws -> String {
        let device = output(of: "losetup -f --show '\(image)'")
        guard device.hasPrefix("/dev/loop") else { throw Errno(5, in: "losetup") }
        devices.append(device)
        return device
    }

    func detach(_ device: String) { _ = try? Scratch.shell("/usr/sbin/losetup -d \(device)") }

    /// Mounts at a new folder below the scratch one; nil, said aloud, when the kernel does not know the file system.
    func mount(_ source: String, at name: String, options: String = "rw") -> String? {
        let point = path + "/" + name
        try? FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        guard (try? Scratch.shell("mount -o \(options) '\(source)' '\(point)' 2>/dev/null")) == 0 else {
            skip("B-10", "mount -o \(options) \(source): not here")
            return nil
        }
        points.append(point)
        return point
    }

    func run(_ line: String) throws -> Bool { try Scratch.shell("PATH=$PATH:/usr/sbin:/sbin; " + line) == 0 }
}

extension ByteString {
    /// The number of the device node of this name.
    var deviceNumber: DeviceNumber? {
        (try? status(at: self, followLinks: true)).map { DeviceNumber(encoded: $0.rdev) }
    }
}
