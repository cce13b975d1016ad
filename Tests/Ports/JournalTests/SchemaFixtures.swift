/// Journals as each released schema wrote them, as statements that make them; never edited.
enum SchemaFixtures {
    /// Schema 1: one of everything, and a run whose process is gone.
    static let first = """
        BEGIN TRANSACTION;
        CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO meta VALUES('generation','2');
        INSERT INTO meta VALUES('journal','0123456789abcdef');
        INSERT INTO meta VALUES('needs-rebuild','1');
        CREATE TABLE run (id TEXT NOT NULL PRIMARY KEY, host TEXT NOT NULL, kind TEXT NOT NULL,
            started INTEGER NOT NULL, ended INTEGER, outcome TEXT NOT NULL, started_by TEXT NOT NULL,
            summary TEXT NOT NULL, process TEXT) STRICT;
        INSERT INTO run
            VALUES('01c4','docker-srv','run',1795000000000000000,1795000060000000001,'ok','schedule','two copies',NULL);
        INSERT INTO run
            VALUES('01c5','docker-srv','verify',1795000100000000000,NULL,'running','catch-up','','4711 5d0c5a0e-boot/pid:[4026531836]/99');
        CREATE TABLE step (run TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, workload TEXT,
            repository TEXT, medium TEXT, started INTEGER NOT NULL, ended INTEGER, outcome TEXT NOT NULL,
            bytes INTEGER, files INTEGER, snapshot TEXT, text TEXT NOT NULL, PRIMARY KEY (run, number)) STRICT;
        INSERT INTO step
            VALUES('01c4',1,'backup','etc','host-usb','usb-ssd',1795000000000000000,1795000060000000000,'ok',4096,12,'4f2a91c0','added 4 KiB');
        INSERT INTO step
            VALUES('01c5',1,'verify',NULL,'host-usb',NULL,1795000100000000000,NULL,'running',NULL,NULL,NULL,'');
        CREATE TABLE evidence (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, workload TEXT, repository TEXT,
            snapshot TEXT, medium TEXT, at INTEGER NOT NULL, outcome TEXT NOT NULL, bytes INTEGER,
            nanoseconds INTEGER, detail TEXT NOT NULL) STRICT;
        INSERT INTO evidence
            VALUES('e1','restore','etc','host-usb','4f2a91c0','usb-ssd',1795000061000000000,'passed',4096,1500000000,'{"files":12}');
        CREATE TABLE owed (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, object TEXT NOT NULL,
            text TEXT NOT NULL, since INTEGER NOT NULL) STRICT;
        INSERT INTO owed VALUES('o1','guest','proxmox-srv/9001','drill',1795000062000000000);
        CREATE TABLE audit (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
            object TEXT NOT NULL) STRICT;
        INSERT INTO audit VALUES(1,1795000063000000000,'root','forget','4f2a in offsite');
        CREATE TABLE fact (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL)
            STRICT, WITHOUT ROWID;
        INSERT INTO fact VALUES('plan/hash','abc',1795000064000000000);
        CREATE TABLE message (id TEXT NOT NULL PRIMARY KEY, channel TEXT NOT NULL, event TEXT NOT NULL,
            title TEXT NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL, due INTEGER,
            attempts INTEGER NOT NULL, tried INTEGER, error TEXT, done INTEGER NOT NULL) STRICT;
        INSERT INTO message
            VALUES('m1','phone','failed','etc failed','no room',1795000065000000000,1795000065000000000,2,1795000066000000000,'HTTP 500',0);
        CREATE INDEX run_started ON run (started);
        CREATE INDEX step_newest ON step (kind, workload, repository, started DESC, outcome);
        CREATE INDEX step_started ON step (started);
        CREATE INDEX evidence_newest ON evidence (kind, workload, repository, at DESC, outcome);
        CREATE INDEX evidence_at ON evidence (at);
        CREATE INDEX audit_at ON audit (at);
        CREATE INDEX message_due ON message (due) WHERE done = 0;
        CREATE INDEX message_created ON message (created);
        PRAGMA application_id = 1213156420; PRAGMA user_version = 1;
        COMMIT;
        """
}
