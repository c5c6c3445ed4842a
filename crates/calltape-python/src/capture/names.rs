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
    "password1",
    "password2",
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

/// The longest of [`SENSITIVE`] with room for separators; longer names are not looked at.
const LONGEST: usize = 32;

/// Whether a value under this name is withheld.
pub(crate) fn is_sensitive(name: &[u8]) -> bool {
    if name.len() < 3 || name.len() > LONGEST {
        return false;
    }
    let mut folded = [0u8; LONGEST];
    let mut length = 0;
    for &byte in name {
        if !matches!(byte, b'-' | b'_' | b' ') {
            folded[length] = byte.to_ascii_lowercase();
            length += 1;
        }
    }
    SENSITIVE.binary_search_by(|entry| entry.as_bytes().cmp(&folded[..length])).is_ok()
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
