//! Names whose values are withheld: passwords and the like, whatever their case and separators.

/// Names that hold a secret, lower case without `-`, `_` and spaces, sorted: matched whole, so `author` and `tokenize`
/// are kept.
const SENSITIVE: &[&str] = &[
    "accesskey",
    "accesskeyid",
    "accesstoken",
    "apikey",
    "apisecret",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "awsaccesskeyid",
    "awssecretaccesskey",
    "awssessiontoken",
    "bearer",
    "bearertoken",
    "cardnumber",
    "ccnumber",
    "clientsecret",
    "connectionstring",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "creditcard",
    "csrf",
    "csrftoken",
    "cvc",
    "cvv",
    "databasepassword",
    "dbpass",
    "dbpasswd",
    "dbpassword",
    "encryptionkey",
    "idtoken",
    "jwt",
    "masterkey",
    "newpassword",
    "oauthtoken",
    "oldpassword",
    "otp",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwordconfirmation",
    "passwordhash",
    "pgpassword",
    "pincode",
    "privatekey",
    "proxyauthorization",
    "pwd",
    "refreshtoken",
    "secret",
    "secretaccesskey",
    "secretkey",
    "secrets",
    "securitycode",
    "sessionid",
    "sessionkey",
    "sessiontoken",
    "setcookie",
    "signingkey",
    "socialsecuritynumber",
    "sshkey",
    "ssn",
    "token",
    "tokens",
    "totp",
    "userpassword",
    "webhooksecret",
    "xapikey",
    "xauthtoken",
    "xcsrftoken",
    "xsrftoken",
];

/// Of [`SENSITIVE`], those that are no secret as the last word of a longer name (`max_tokens`, `has_auth`).
const ONLY_ALONE: &[&str] = &["auth", "bearer", "cookies", "csrf", "jwt", "otp", "secrets", "tokens", "totp"];

/// The longest of [`SENSITIVE`] with room for separators; a longer name is looked at from its end.
const LONGEST: usize = 32;

/// Whether a value under this name is withheld: the whole name is a known word for a secret, or its last words are, as
/// in `github_token`, `user.password` and `db_password_1`.
pub(crate) fn is_sensitive(name: &[u8]) -> bool {
    let end = name.iter().rposition(|&byte| !byte.is_ascii_digit() && !is_separator(byte)).map_or(0, |at| at + 1);
    let name = &name[..end];
    if matches_whole(name).is_some() {
        return true;
    }
    let from = name.len().saturating_sub(LONGEST);
    (from..name.len())
        .filter(|&at| at > 0 && is_separator(name[at - 1]))
        .any(|at| matches_whole(&name[at..]).is_some_and(|word| !ONLY_ALONE.contains(&word)))
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b' ')
}

fn matches_whole(name: &[u8]) -> Option<&'static str> {
    if name.len() > LONGEST {
        return None;
    }
    let mut folded = [0u8; LONGEST];
    let mut length = 0;
    for &byte in name {
        if !is_separator(byte) {
            folded[length] = byte.to_ascii_lowercase();
            length += 1;
        }
    }
    let found = SENSITIVE.binary_search_by(|entry| entry.as_bytes().cmp(&folded[..length])).ok()?;
    Some(SENSITIVE[found])
}

const _: () = {
    let mut index = 1;
    while index < SENSITIVE.len() {
        assert!(is_before(SENSITIVE[index - 1].as_bytes(), SENSITIVE[index].as_bytes()), "SENSITIVE must be sorted");
        index += 1;
    }
};

const fn is_before(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return left[at] < right[at];
        }
        at += 1;
    }
    left.len() < right.len()
}
