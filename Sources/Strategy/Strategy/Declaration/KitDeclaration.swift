/// What a recovery kit says beside what opens the repositories, and how often it is tested.
package struct KitDeclaration: Sendable, Hashable {
    /// A secret that the kit carries for the day, under a name.
    package struct NamedSecret: Sendable, Hashable {
        package var name: String
        package var reference: SecretReference
        package var place: Place
    }

    /// Who or what keeps a copy, as it is printed.
    package var holders: [String] = []
    /// Accounts by their names.
    package var accounts: [String] = []
    package var secrets: [NamedSecret] = []
    /// After this time without a test it is reminded of.
    package var testEvery = KitDeclaration.usualTestEvery

    /// `kit.test-every` where it is not said.
    package static let usualTestEvery = Duration.seconds(180 * 86_400)

    package init() {}

    /// What a declaration that fits the schema says of it.
    init(_ table: DeclaredTable?) {
        holders = table?["holders"]?.texts ?? []
        accounts = table?["accounts"]?.texts ?? []
        for entry in table?["secrets"]?.table.entries ?? [] {
            guard case .secret(let reference) = entry.value.scalar else { continue }
            secrets.append(NamedSecret(name: entry.key, reference: reference, place: entry.place))
        }
        if case .duration(let length)? = table?["test-every"]?.scalar { testEvery = length }
    }

    /// What it refers to, with the keys that say so.
    var references: [(key: String, reference: SecretReference)] {
        secrets.map { ("kit.secrets.\($0.name)", $0.reference) }
    }
}
