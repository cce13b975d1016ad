import Testing

import Strategy

@Suite struct NearestWordTests {
    @Test(arguments: [
        ("knid", "kind"), ("pasword", "password"), ("Medium", "medium"), ("paths", "path"),
    ])
    func `a misspelt key finds the one that was meant`(word: String, meant: String) {
        #expect(nearestWord(to: word, among: ["kind", "path", "medium", "password"]) == meant)
    }

    @Test(arguments: ["datastores", "x", "", "schedule"])
    func `a word that is near to none gets no guess`(word: String) {
        #expect(nearestWord(to: word, among: ["kind", "path", "medium", "password"]) == nil)
    }
}
