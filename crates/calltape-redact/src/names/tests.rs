//! Which names are withheld, and which only look like it.

use super::Names;

fn is_sensitive(name: &str) -> bool {
    Names::defaults().is_sensitive(name.as_bytes())
}

#[test]
fn names_of_secrets_are_known_in_any_spelling() {
    let names = "password PASSWORD Password passwd pwd pass token secret auth authorization apikey api_key apiKey API-KEY \
        X-Api-Key x_api_key XApiKey accessToken access_token AccessToken githubToken APIToken userPassword user.password \
        db_password_1 password2 PASSWORD2 smtppassword mysqlpassword keystorepassphrase myapikey user[password] \
        config/db/password --password $TOKEN {token} _csrf csrf_token csrfmiddlewaretoken Set-Cookie cookie connect.sid \
        PHPSESSID JSESSIONID sessionid session_id aws_secret_access_key AWS_ACCESS_KEY_ID aws_session_token privateKey \
        private_key_pem sshKey credentials gcp_credentials creds db_creds jwt otp totp pin pin_code card_number cardNumber \
        credit_card cvv CVC2 cvc2 ssn SSN social_security_number 2fa pkcs8 X-Hub-Signature-256 Proxy-Authorization \
        accountKey SharedAccessKey SharedAccessSignature connection_string database_url db.url signing_key client_secret \
        clientSecret refresh_token id_token bearer otpCode salt password_hash passwordConfirmation secret_value \
        STRIPE_SECRET_KEY django_secret_key SECRET_KEY_BASE webhookSecret slack_webhook_url dbPassword1 passphrase";
    let missed: Vec<&str> = names.split_ascii_whitespace().filter(|name| !is_sensitive(name)).collect();
    assert!(missed.is_empty(), "not withheld: {missed:?}");
}

#[test]
fn look_alikes_are_kept() {
    let names = "author authors authority authored tokenize tokenizer tokenized max_tokens maxTokens total_tokens \
        prompt_tokens token_count token_type tokenCount passage passages passenger compass bypass boarding_pass \
        keyboard key keys primary_key primaryKey foreign_key sort_key partition_key cache_key routing_key public_key \
        publicKey idempotency_key cardinal cardinality card cards secretary secretariat monkey hockey turkey donkey jockey \
        pinned shipping spinner spin pinterest opinion gpio_pin shipping_pin tokenizer_name user name id order_id items total \
        description version region email username user_id client_id transaction_id ip_address country country_code \
        status_code error_code zip_code postcode code barcode mode node model model_name feature temperature created_at \
        has_auth is_auth authenticated authentication oauth_enabled session_count sessions db_session signature_valid \
        num_secrets saltwater basalt cookiecutter certificate discovery hostname host tokens eos_token bosToken pad_token unk_token sep_token cls_token mask_token page_token \
        next_page_token nextPageToken NextToken continuation_token sync_token port path url uri endpoint \
        kassenpasswort_x password_length passwordless keyword keywords crossword forward record order border word";
    let withheld: Vec<&str> = names.split_ascii_whitespace().filter(|name| is_sensitive(name)).collect();
    assert!(withheld.is_empty(), "withheld: {withheld:?}");
}

/// The identifiers and keys that other scrubbers withhold, without those that only identify or locate.
#[test]
fn the_list_is_as_broad_as_its_peers() {
    let peers = "2fa accesstoken aiohttpsession apikey apisecret apisignature appkey applicationkey auth authorization \
        authtoken ccnumber certificatepin cipher clientsecret connectionstring connectsid cookie credentials creditcard \
        csrf csrftoken cvv databaseurl dburl encryptionkey encryptionkeyid gpgkey jti jwt licensekey masterkey mysqlpwd \
        nonce oauth oauthtoken otp passhash passwd password passwordb pemfile pgpkey phpsessid pin pincode pkcs8 \
        privatekey pwd recaptchakey refreshtoken routingnumber salt secret secretkey secrettoken securityanswer \
        securitycode securityquestion serviceaccountcredentials session sessionid sessionkey setcookie signature \
        signaturekey sshkey ssn symfony token twiliotoken usersession voterid xapikey xauthtoken xcsrftoken xsrf \
        xsrftoken mysql_pwd private_key x_csrftoken set_cookie aiohttp_session connect.sid _csrf _csrf_token _session \
        user_session _xsrf XSRF-TOKEN credential social_security stripetoken secret_key api_token session_key";
    let missed: Vec<&str> = peers.split_ascii_whitespace().filter(|name| !is_sensitive(name)).collect();
    assert!(missed.is_empty(), "not withheld: {missed:?}");
}

#[test]
fn letters_beyond_ascii_are_folded_by_lowercase() {
    let names = Names::with(&["пароль", "Schlüssel", "mot de passe"]).expect("good names");
    for name in ["пароль", "ПАРОЛЬ", "Мой Пароль", "мойПароль", "SCHLÜSSEL", "db_schlüssel", "mot_de_passe", "éToken"]
    {
        assert!(names.is_sensitive(name.as_bytes()), "{name}");
    }
    for name in ["паролька", "schlüsselbund", "naïve", "größe"] {
        assert!(!names.is_sensitive(name.as_bytes()), "{name}");
    }
    assert!(Names::defaults().is_sensitive("to\u{212a}en".as_bytes()), "the Kelvin sign is a k");
    assert!(!names.is_sensitive(b"\xed\xa0\x80\xff"));
    assert!(names.is_sensitive(b"\xed\xa0\x80_token"));
}

#[test]
fn entries_add_remove_and_replace() {
    let names = Names::with(&["badge", "-token", "*pin*", "x*", "*gram", "-public_secret"]).expect("good names");
    let withheld = |name: &str| names.is_sensitive(name.as_bytes());
    for name in
        ["badge", "BADGE", "staff_badge", "staffBadge", "shipping", "my_p-i-n", "xylophone", "telegram", "password"]
    {
        assert!(withheld(name), "{name}");
    }
    for name in ["token", "github_token", "badger", "mybadge", "tax", "public_secret", "PublicSecret"] {
        assert!(!withheld(name), "{name}");
    }
    assert!(withheld("access_token") && withheld("client_secret"));

    let only = Names::with(&["-*", "badge9"]).expect("good names");
    assert!(only.is_sensitive(b"badge_9") && only.is_sensitive(b"old-badge9"));
    assert!(!only.is_sensitive(b"badge") && !only.is_sensitive(b"password"));
    let none = Names::with(&["-*"]).expect("good names");
    assert!(!none.is_sensitive(b"password"));
    let again = Names::with(&["-token", "token"]).expect("good names");
    assert!(again.is_sensitive(b"token"));
    let added = Names::with(&["page_token"]).expect("good names");
    assert!(added.is_sensitive(b"pageToken") && !added.is_sensitive(b"sync_token"));
    let no_keys = Names::with(&["-*key*"]).expect("good names");
    assert!(!no_keys.is_sensitive(b"api_key") && no_keys.is_sensitive(b"password"));
}

#[test]
fn a_bad_entry_says_why() {
    for entry in ["", " ", "*", "**", "-", "_", "a*b", "*a*b*", "***x", "pin,pan", "pin;pan", "pin\npan"] {
        let refused = Names::with(&["badge", entry]).expect_err(entry);
        assert!(refused.to_string().contains("sensitive field"), "{refused}");
    }
    let long = "x".repeat(65);
    assert!(Names::with(&[&long]).is_err());
}

#[test]
fn names_of_any_length_are_decided_by_their_end() {
    let names = Names::defaults();
    let long = "word_".repeat(300_000);
    assert!(!names.is_sensitive(long.as_bytes()));
    assert!(names.is_sensitive(format!("{long}password").as_bytes()));
    assert!(!names.is_sensitive(b""));
    assert!(!names.is_sensitive(b"___"));
    assert!(!names.is_sensitive(b"123"));
}
