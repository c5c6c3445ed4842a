//! The default list of sensitive names, folded: small letters, no separators.
//!
//! Gathered from what the scrubbers of error trackers, tracers and scanners of repositories look for, and from the
//! parameters of the clients of databases, mail servers and clouds. Names that only identify or locate are left out:
//! `client_id`, `transaction_id`, `ip_address`, `x_forwarded_for`, `geolocation`, `public_key`.

/// Sensitive as the whole name only: as the last word of a longer name they are mostly something else (`max_tokens`,
/// `has_auth`, `gpio_pin`, `db_session`).
pub(super) const ALONE: &str = "
    2fa auth bearer certificatepin cipher cookies csrf htpasswd jti jwt mnemonic nonce oauth otp pass passhash
    pemfile pgpass pin pkcs12 pkcs8 salt secrets seedphrase session signature symfony totp usersession
    usersessions xsrf
";

/// Sensitive as the whole name or as the last words of a longer one.
pub(super) const LAST: &str = "
    accesskey accesskeyid accesskeys accesssecret accesstoken accesstokens accesstokensecret accountkey adminkey
    adminpass aeskey aiohttpsession apikeys apipass apisecret apisignature apitoken apitokens appkey applicationkey
    appsecret appsecrets aspnetsessionid aspsessionid atmpin authcode authcookie authheader authkey authorization
    authorizationcode authorizationheader authpass authsecret authsignature authtokens awsaccesskeyid awskey
    awssecret awssecretaccesskey awssecretkey awssessiontoken azurekey azurestoragekey backupcode backupcodes
    bankaccountnumber basicauth bearertoken bearertokens bindpass bindpw bottoken cardcode cardcvc cardcvv cardno
    cardnumber cardpan cardpin cardsecuritycode ccnum ccnumber certificatekey clientpass clientsecrets codeverifier
    confirmpass connectionstring connectionstrings connectsid connstr connstring consumerkey consumersecret cookie
    cookieheader cookiekey cookiesecret cred credential credentials creditcard creditcardno creditcardnumber
    creditcards creds credstring csrfmiddlewaretoken csrftoken csrftokens cvc cvc2 cvv cvv2 databasepass databasepw
    databasepwd databaseuri databaseurl dataencryptionkey dbpass dbpw dbpwd dburi dburl debitcard debitcardnumber
    decryptionkey deploykey devicetoken dockerauth dockerconfigjson driverlicense driverslicense emailpass
    encryptedpass encryptionkey encryptionkeyid encryptkey ephemeralkey fernetkey ftppass githubpat gitlabpat gpgkey
    hashedpass hashsalt hmackey hmacsecret httpauth httppass httpproxyauth idtoken jsessionid jwtkey jwtsecret
    jwttoken keymaterial keypass keystorepass kmskey ldappass licencekey licensekey loginpass loginpw macaroon
    mailpass masterkey mfacode mfatoken mysqlpass mysqlpwd nationalinsurancenumber newpass oauthtoken
    oauthtokensecret oauthverifier oldpass onetimecode onetimepass onetimepin otpcode otpsecret otptoken passcode
    passcodes passkey passkeys passportno passportnumber passwd passwds passwordagain passwordb passwordbytes
    passwordclear passwordcleartext passwordconfirm passwordconfirmation passworddigest passwordencrypted
    passwordhash passwordhashes passwordinput passwordplain passwordplaintext passwordraw passwordrepeat passwords
    passwordsalt passwordstr passwordstring passwordtext passwordvalue passwordverification passwordverify passwrd
    paymentcard pempass personalaccesstoken pgpass pgpkey phpsessid phpsessionid pincode pinnumber plainpass
    plaintextpass presharedkey primaryaccountnumber privatekeydata privatekeypem privatekeys privatetoken privkey
    privpass proxyauth proxyauthorization proxypass psk psw pswd pw pwd pwdhash pwds pword rawpass recaptchakey
    recoverycode recoverycodes recoverykey recoveryphrase redispass refreshtoken refreshtokens requesttoken
    resetcode resettoken rootpass rootpw routingnumber rsakey samlassertion samlresponse saslpass sastoken seckey
    secret secretaccesskey secretaccesskeys secretanswer secretbinary secretbytes secretdata secretfallbacks
    secrethash secretkeybase secretkeyfallbacks secretkeyring secretkeys secretstr secretstring secrettext
    secrettoken secretvalue securestring securityanswer securitycode securitykey securityquestion seedwords
    sendgridkey serverkey serviceaccountcredentials serviceaccountjson serviceaccountkey servicekey sessid
    sessioncookie sessionid sessionkey sessionsecret sessiontoken sessiontokens setcookie sharedaccesskey
    sharedaccesssignature sharedkey sharedsecret signaturekey signingkey signingsecret signkey slacktoken
    slackwebhookurl smscode smtppass socialsecurity socialsecurityno socialsecuritynumber sshkey sshkeys sshpass
    sslkey sslpass ssn storageaccountkey storagekey storepass stripekey stripetoken subscriptionkey symmetrickey
    taxpayerid token tokenbytes tokenhash tokensecret tokenstring tokenvalue totpsecret truststorepass twiliotoken
    twofactorcode unsealkey userauth userpass userpin userpincode userpw userpwd usersecret vaultkey vaulttoken
    verificationcode verificationtoken voterid webhookkey webhooksecret webhookurl wifikey wifipass wpapsk
    xamzcredential xamzsignature xapikey xauthkey xauthtoken xcsrftoken xgoogcredential xgoogsignature xhubsignature
    xhubsignature256 xslacksignature xsrftoken
";

/// Sensitive at the end of any name, at a word's beginning or not: no other word ends like these.
pub(super) const ANY: &str = "
    accesstoken apikey authtoken clientsecret passphrase passwd password privatekey refreshtoken secretkey
    sessiontoken
";

/// No secrets as the whole name, though they end as one: the special tokens of language models, and marks of a place in
/// a listing.
pub(super) const EXEMPT: &str = "
    bostoken clstoken continuationtoken eostoken masktoken nextpagetoken nexttoken padtoken pagetoken septoken
    synctoken unktoken
";
