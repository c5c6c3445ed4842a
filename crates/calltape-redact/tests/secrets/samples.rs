//! Secrets of every kind in the places where they stand, and the same text with the marks.
//!
//! They are put together here, so that no scanner of repositories takes them for real ones.

/// A text and what is to become of it.
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) masked: String,
}

/// Characters as a generator of keys makes them.
const RANDOM: &str = "h7Kq2ZxP9mTbV4cR8nLwY6sJ1dFgA3uEoQ5iXkC0pGvBzNyMrWtSjHaUeDlOf7K2q9";
const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const CAPITALS: &str = "Q7ZXR2MPK4TVW9LB3NYC6HJD8FGS5";

pub(crate) fn random(length: usize) -> &'static str {
    &RANDOM[..length]
}

/// Samples whose secret is the text as a whole: a header's value, known by nothing else.
pub(crate) fn only_whole(text: &str) -> bool {
    ["Bearer ", "Basic ", "bearer ", "basic "].iter().any(|scheme| text.starts_with(scheme))
}

/// Puts the secret in the place of `{}` in the text, and the mark in the other.
fn sample(template: &str, secret: &str) -> Sample {
    Sample { text: template.replace("{}", secret), masked: template.replace("{}", "***") }
}

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for token in tokens() {
        for place in
            ["{}", "the key {} leaked", "got \"{}\"", "/path/{}/x", "(x={}, y=1)", "a,{},b", "https://example.com/{}"]
        {
            samples.push(sample(place, &token));
        }
    }
    for (template, secret) in [assignments(), below(), elements(), statements(), named_beside()].concat() {
        samples.push(sample(template, secret));
    }
    for secret in ["hunter2", "pa$$w0rd!", "x", "p@ss:w0rd"] {
        for template in URLS {
            samples.push(sample(template, secret));
        }
    }
    for number in cards() {
        for place in ["{}", "card {} was declined", "number={}", "[{}]", "{}, please", "\"{}\"", "paid with {}."] {
            samples.push(sample(place, &number));
        }
    }
    samples.extend(blocks());
    samples.extend(others());
    samples
}

/// Tokens that say what they are.
pub(crate) fn tokens() -> Vec<String> {
    let join = |parts: &[&str]| parts.concat();
    let mut tokens = vec![
        join(&["AK", "IA", &CAPITALS[..16]]),
        join(&["AS", "IA", &CAPITALS[..16]]),
        join(&["AI", "za", random(35)]),
        join(&["ya", "29.", random(40)]),
        join(&["GOC", "SPX-", random(28)]),
        join(&["github_", "pat_", random(22), "_", random(59)]),
        join(&["np", "m_", random(36)]),
        join(&["pyp", "i-AgEI", random(60)]),
        join(&["S", "G.", random(22), ".", random(43)]),
        join(&["s", "k-", random(48)]),
        join(&["s", "k-proj-", random(40)]),
        join(&["s", "k-ant-api03-", random(60), "-AA"]),
        join(&["h", "f_", random(34)]),
        join(&["S", "K", &HEX[..32]]),
        join(&["dop", "_v1_", HEX]),
        join(&["dck", "r_pat_", random(27)]),
        join(&["gsk", "_", random(52)]),
        join(&["shp", "at_", &HEX[..32]]),
        join(&["key", "-", &HEX[..32]]),
        join(&["dap", "i", &HEX[..32]]),
        join(&["hv", "s.", random(40)]),
        join(&["AGE-SECRET-", "KEY-1", &CAPITALS.repeat(2)]),
        join(&["ey", "JhbGciOiJIUzI1NiJ9.", "ey", "JzdWIiOiIxMjM0NTY3ODkwIn0.", random(43)]),
        join(&["ey", "JhbGciOiJub25lIn0.", "ey", "JzdWIiOiIxIn0."]),
    ];
    for kind in ["p", "o", "u", "s", "r"] {
        tokens.push(join(&["gh", kind, "_", random(36)]));
    }
    for kind in ["glpat-", "gldt-", "glrt-", "glptt-"] {
        tokens.push(join(&[&kind[..2], &kind[2..], random(20)]));
    }
    for kind in ["b", "p", "a", "r", "s"] {
        tokens.push(join(&["xo", "x", kind, "-2401234567-", random(24)]));
    }
    for kind in ["sk_live_", "sk_test_", "rk_live_", "rk_test_"] {
        tokens.push(join(&[&kind[..3], &kind[3..], random(24)]));
    }
    tokens
}

const URLS: &[&str] = &[
    "postgresql://user:{}@db.example.com:5432/orders?sslmode=require",
    "redis://:{}@cache:6379/0",
    "cannot connect to amqp://guest:{}@rabbit/vhost, giving up",
    "DSN \"mysql+pymysql://root:{}@127.0.0.1/x\"",
    "https://alice:{}@example.com/path#fragment",
];

fn assignments() -> Vec<(&'static str, &'static str)> {
    vec![
        ("password={}", "hunter2"),
        ("password = {}", "hunter2"),
        ("connect(user='bob', password='{}', timeout=3)", "correct horse, battery"),
        ("PASSWORD: {}", "correct horse battery"),
        ("{\"user\": \"bob\", \"password\": \"{}\", \"age\": 3}", "a\\\"b c"),
        ("{'api_key': '{}'}", "abc"),
        ("{b'token': b'{}'}", "abc"),
        ("{\\\"password\\\": \\\"{}\\\", \\\"x\\\": 1}", "hunter2"),
        ("{\"pin\": {}}", "1234"),
        ("{\"credentials\": {}, \"x\": 1}", "{\"user\": \"a\", \"key\": [1, \"}\"]}"),
        ("secrets = {}", "['abc', \"d]e\"]"),
        ("?page=2&token={}&sort=asc", "abc123"),
        ("https://example.com/x?sig={}&se=2024", "abc%2Fdef%3D"),
        ("https://maps.example.com/api?key={}", "abcdef"),
        ("user[password]={}&user[name]=bob", "hunter2"),
        ("export DB_PASSWORD={}", "hunter2"),
        ("GET /x HTTP/1.1\r\nAuthorization: {}\r\nHost: example.com", "Bearer abc.def"),
        ("Cookie: {}", "session=abc; theme=dark"),
        ("Set-Cookie: {}\nContent-Length: 3", "sid=abc; Path=/; HttpOnly"),
        ("curl -H 'Authorization: {}' https://example.com", "Basic dXNlcjpwYXNz"),
        ("curl -H \"X-Api-Key: {}\" https://example.com", "abc def"),
        ("headers=[('Authorization', '{}'), ('Accept', '*/*')]", "Bearer abc"),
        ("[(b'cookie', b'{}')]", "a=b; c=d"),
        ("[[\"X-Auth-Token\", \"{}\"]]", "abc"),
        ("run --password {} --verbose", "hunter2"),
        ("run --api-key={} x", "hunter2"),
        ("Command '['mysql', '--password', '{}', 'db']' returned 1", "hunter2"),
        ("os.environ['SECRET_KEY'] = '{}'", "abc"),
        ("config[\"password\"] = \"{}\"  # set", "abc"),
        ("password: str = \"{}\"", "hunter2"),
        ("def connect(password: str | None = '{}'):", "hunter2"),
        ("if token == \"{}\":", "abc"),
        ("password = \"\"\"{}\"\"\"", "two\nlines"),
        ("secret := `{}`", "abc"),
        (":password => \"{}\",", "abc"),
        ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core", "abc+/d=="),
        ("Server=db;User Id=sa;Password={};Encrypt=true", "hunter2"),
        ("Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey={}", "abc="),
        ("aws_secret_access_key = {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz"),
        ("wrong api key: {}", "hunter2"),
        ("wrong secret access key: {}", "hunter2."),
        ("authorization={} user=bob", "Bearer abc"),
        ("login failed (password={})", "hunter2"),
        ("{password: {}, user: bob}", "hunter2"),
        ("Config(user='bob', db_password='{}')", "x"),
        ("пароль: x, password: {}", "пёс"),
        ("age=12&ssn={}", "078-05-1120"),
        ("secrets: {}, author: ann", "5"),
        ("Password: {}; user=ann; page=5", "correct horse, battery; staple"),
        ("authorization: {}", "Digest username=\"ann\", realm=\"x\", response=\"abc\""),
    ]
}

/// Values in markup.
fn elements() -> Vec<(&'static str, &'static str)> {
    vec![
        ("<password>{}</password>", "hunter2"),
        ("<db:Password type=\"x\">{}</db:Password>", "hunter 2"),
        ("<user>ann</user><apiKey\n a='b'>\n  {}\n</apiKey><port>5</port>", "hunter2"),
        ("<secret><![CDATA[{}]]></secret>", "a<b>&c"),
        ("\"<token>{}<\\/token>\"", "hunter2"),
        ("<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">", "hunter2"),
        ("<add key=\"ApiKey\" value=\"{}\"/><add key=\"Page\" value=\"5\"/>", "hunter2"),
    ]
}

/// Passwords in SQL.
fn statements() -> Vec<(&'static str, &'static str)> {
    vec![
        ("CREATE USER ann IDENTIFIED BY '{}'", "hunter2"),
        ("ALTER USER ann@'%' IDENTIFIED WITH caching_sha2_password BY '{}' EXPIRE", "it''s hunter2"),
        ("IDENTIFIED WITH mysql_native_password AS '{}';", "*6BB4837EB7"),
        ("ALTER ROLE ann PASSWORD '{}' VALID UNTIL 'x'", "hunter2"),
        ("create user ann identified by password  '{}'", "hunter2"),
        ("[\"ALTER ROLE ann PASSWORD \\'{}\\' x\"]", "hunter2"),
    ]
}

/// Values that stand beside their names.
fn named_beside() -> Vec<(&'static str, &'static str)> {
    vec![
        ("{\"name\": \"DB_PASSWORD\", \"value\": \"{}\"}, {\"name\": \"DB_USER\", \"value\": \"ann\"}", "hunter2"),
        ("[{'key': 'api_key', 'type': ('a', 'b'), 'value': '{}'}, {'value': 5}]", "hunter2"),
        ("{\\\"name\\\": \\\"DB_PASSWORD\\\", \\\"value\\\": \\\"{}\\\"}", "hunter2"),
        ("{\"header\": \"Authorization\", \"value\": \"{}\"}", "Bearer abc"),
        ("EnvVar(name='DB_PASSWORD', value='{}')", "hunter2"),
        ("env:\n- name: DB_PASSWORD\n  value: {}\n- name: PORT\n  value: 5", "hunter2"),
        ("--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{}\r\n--x--", "hunter 2"),
        ("form-data; name=\"token\"; filename=\"x\"\r\nContent-Type: text/plain\r\n\r\n{}\r\n--x--", "hunter2"),
        ("b'form-data; name=\"password\"\\r\\n\\r\\n{}\\r\\n--x--'", "hunter2"),
    ]
}

/// Values on the lines below their names.
fn below() -> Vec<(&'static str, &'static str)> {
    vec![
        ("user: ann\npassword: |\n  {}\nport: 5", "hunter2"),
        ("password: >\n  {}\n", "hunter2 and\n  horses\n\n   more"),
        ("db:\n  password: |-\n    {}\n  user: ann", "hunter2\n    horses"),
        ("- password: |2\n    {}\n  user: ann", "hunter2"),
        ("\"password\": >+  # folded\r\n\r\n  {}\r\nuser: ann", "hunter2\r\n  horses"),
        ("secret_key: !!binary |\n  {}\nuser: ann", "aGVsbG8gd29ybGQ"),
        ("body 'password: |\\n  {}\\nuser: ann'", "hunter2"),
        ("'user: ann\\n  token: |\\n    {}\\n  port: 5'", "hunter2"),
        ("'user=ann\\ntoken={} x'", "hunter2"),
        ("secrets:\n  {}\nuser: ann", "- hunter2\n  - horses"),
        ("secrets:\n{}\nuser: ann", "- hunter2\n- horses"),
        ("  credentials:\n    {}\n  user: ann", "login: bob\n    key: hunter2"),
        ("Authorization:\r\n {}\r\nHost: x", "Bearer hunter2"),
    ]
}

/// Numbers that issuers give out for tests.
fn cards() -> Vec<String> {
    let numbers = [
        "4111111111111111",
        "5555555555554444",
        "378282246310005",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "4222222222222",
        "6200000000000005",
        "2223003122003222",
        "4000000000000000006",
    ];
    let mut cards: Vec<String> = numbers.iter().map(|number| (*number).to_owned()).collect();
    for separator in [" ", "-"] {
        cards.push(["4111", "1111", "1111", "1111"].join(separator));
        cards.push(["4012", "8888", "8888", "1881"].join(separator));
        cards.push(["3782", "822463", "10005"].join(separator));
        cards.push(["3056", "930902", "5904"].join(separator));
    }
    cards
}

fn blocks() -> Vec<Sample> {
    let body = format!("MIIE{RANDOM}\n{RANDOM}\n{HEX}==");
    let mut blocks = Vec::new();
    for kind in [
        "RSA PRIVATE KEY",
        "PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "EC PRIVATE KEY",
        "CERTIFICATE",
        "PGP PRIVATE KEY BLOCK",
    ] {
        let (begin, end) = (["-----BE", "GIN ", kind, "-----"].concat(), ["-----E", "ND ", kind, "-----"].concat());
        let block = format!("{begin}\n{body}\n{end}");
        blocks.push(sample("{}", &block));
        blocks.push(sample("key file:\n{}\nafter it", &block));
        blocks.push(sample("{}", &block.replace('\n', "\\n")));
        blocks.push(sample("no end {}", &format!("{begin}\n{body}")));
        blocks.push(sample("{} and {}", &block));
    }
    let ssh =
        ["---- BE", "GIN SSH2 ENCRYPTED PRIVATE KEY ----\n", &body, "\n---- E", "ND SSH2 ENCRYPTED PRIVATE KEY ----"]
            .concat();
    blocks.push(sample("{}", &ssh));
    blocks
}

fn others() -> Vec<Sample> {
    let hook = format!("T00000000/B00000000/{}", random(24));
    vec![
        sample(&["https://hooks.sl", "ack.com/services/{}"].concat(), &hook),
        sample("https://discord.com/api/webhooks/{}", &format!("1234567890/{}", random(40))),
        sample("https://{}@o1.ingest.example.com/2", &HEX[..32]),
        sample("secret {}", &["wh", "sec_", random(32)].concat()),
        sample("/bot 123456789:{}/getMe", &["AA", random(33)].concat()),
        sample("Bearer {}", "abc"),
        sample("bearer {}", random(30)),
        sample("Basic {}", "dXNlcjpwYXNz"),
        sample("Basic {}", "dXNlcm5hbWU6cGFzc3dvcmQ="),
        sample("sent Bearer {} to the host", random(30)),
        sample("sent Basic {} to the host", "dXNlcm5hbWU6cGFzc3dvcmQ="),
        sample("invalid token {} given", &HEX[..32]),
    ]
}
