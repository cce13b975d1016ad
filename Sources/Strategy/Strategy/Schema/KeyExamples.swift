/// How a key with its value may look, for keys whose shape does not say it: `paths: [/etc, /home]`.
///
/// `key` is its path in messages; its last two words decide, or the last.
package func keyExample(_ key: String) -> String? {
    let words = key.split(separator: ".").suffix(2)
    guard let name = words.last else { return nil }
    let value = keyExamples[words.joined(separator: ".")] ?? keyExamples[String(name)]
    return value.map { "\(name): \($0)" }
}

private let keyExamples = [
    "lab": "home",
    "include": "[conf/more.yaml]",
    "state": "/var/lib/holdfast/state/home",
    "media": "{ usb: { kind: removable, path: /mnt/usb/holdfast } }",
    "path": "/mnt/usb/holdfast",
    "endpoint": "https://s3.example.com",
    "bucket": "lab-dr",
    "prefix": "home",
    "region": "eu-central-1",
    "storage-class": "STANDARD_IA",
    "lock": "200d",
    "s3.prices": "{ currency: EUR, storage: 0.006, egress: 0.01 }",
    "currency": "EUR",
    "s3.budget": "{ cost: 5, egress: 200 GB }",
    "rest.url": "https://nas.example:8000/lab",
    "sftp.host": "nas.example",
    "sftp.path": "/srv/backup",
    "sftp.key": "/root/.ssh/backup",
    "repositories": "{ host-usb: { medium: usb, password: \"file:secrets/host-usb\" } }",
    "medium": "usb",
    "roles": "{ production: { backup: { schedule: \"02:00\" } } }",
    "tags": "[keep]",
    "vault.address": "https://vault.example",
    "vault.email": "backup@example.com",
    "certificates": "/etc/ssl/home.pem",
    "sealed-copy": "/var/lib/holdfast/vault.sealed",
    "vault.data": "[/srv/vaultwarden]",
    "kit": "{ holders: [\"Ann, in the safe\"] }",
    "holders": "[\"Ann, in the safe\", \"the bank, box 12\"]",
    "accounts": "[\"cloud: lab@example.com\"]",
    "kit.secrets": "{ vault-backup: \"file:secrets/vault-backup\" }",
    "protect": "[{ host: { paths: [/etc, /home] }, to: host-usb }]",
    "paths": "[/etc, /home]",
    "host.exclude": "[\"*.cache\"]",
    "to": "[host-os, host-usb]",
    "role": "production",
    "before": "[pg_dumpall, -f, /srv/dump.sql]",
    "after": "[docker, start, app]",
    "exclude": "[{ paths: [/scratch], because: rebuilt from templates }]",
    "retired": "[{ name: photos, because: moved away }]",
    "name": "photos",
    "because": "rebuilt from templates",
    "notify": "[{ ntfy: { url: \"https://ntfy.example/lab\" } }]",
    "events": "[failed, missed, recovered]",
    "user": "backup",
    "smtp.host": "mail.example",
    "from": "holdfast@example.com",
    "smtp.to": "[me@example.com]",
    "content-type": "application/json",
    "template": "\"{{subject}}\"",
    "headers": "{ Authorization: \"file:secrets/token\" }",
]
