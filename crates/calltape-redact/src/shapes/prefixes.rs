//! The table of tokens that say by their first letters what they are.
//!
//! Formats as their issuers document them and scanners of repositories look for them. The least length keeps words
//! that begin alike (`sk-learn`, `npm_config`) from being tokens; it is below the true length, so that a token is found
//! even when its issuer makes shorter ones.

use crate::bytes::{ALNUM, BASE64, DASH, DIGIT, DOT, HEX, UPPER, URL_SAFE};

/// How a token begins and what follows.
#[derive(Debug)]
pub(super) struct Prefix {
    pub(super) text: &'static [u8],
    /// Its first two bytes, which are compared first.
    pub(super) head: [u8; 2],
    /// Classes of the bytes that follow.
    pub(super) classes: u8,
    /// The least bytes that follow.
    pub(super) least: u16,
    pub(super) form: Form,
}

/// What is asked of the bytes that follow, beside their classes and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing: the prefix says enough.
    Any,
    /// Exactly the least number, then no letter or digit.
    Exact,
    /// Letters and digits both: the prefix is a usual beginning of words.
    Mixed,
    /// As [`Form::Any`]; the prefix is a place and stays.
    Place,
}

use Form::{Any, Exact, Mixed, Place};

const fn prefix(text: &'static str, classes: u8, least: u16, form: Form) -> Prefix {
    let text = text.as_bytes();
    Prefix { text, head: [text[0], text[1]], classes, least, form }
}

/// Sorted by the first byte.
pub(super) const PREFIXES: &[Prefix] = &[
    // 1Password, Adafruit, Artifactory, Anthropic, Atlassian, age, AWS, Google
    prefix("1//0", URL_SAFE, 28, Mixed),
    prefix("A3-", UPPER | DIGIT | DASH, 30, Mixed),
    prefix("ABIA", UPPER | DIGIT, 16, Exact),
    prefix("ACCA", UPPER | DIGIT, 16, Exact),
    prefix("AGE-SECRET-KEY-1", UPPER | DIGIT, 20, Any),
    prefix("AIza", URL_SAFE, 35, Exact),
    prefix("AKCp", ALNUM, 40, Any),
    prefix("AKIA", UPPER | DIGIT, 16, Exact),
    prefix("ASIA", UPPER | DIGIT, 16, Exact),
    prefix("ATATT3", URL_SAFE | BASE64, 40, Any),
    prefix("ATBB", ALNUM, 24, Mixed),
    prefix("ATCTT3", URL_SAFE | BASE64, 40, Any),
    prefix("CCIPAT_", URL_SAFE, 20, Any),
    prefix("EZAK", ALNUM, 40, Any),
    prefix("EZTK", ALNUM, 40, Any),
    prefix("FLWSECK", URL_SAFE, 12, Mixed),
    prefix("GOCSPX-", URL_SAFE, 16, Any),
    prefix("GR1348941", URL_SAFE, 16, Any),
    prefix("HRKU-", URL_SAFE, 30, Any),
    prefix("LTAI", ALNUM, 16, Mixed),
    prefix("NRAK-", ALNUM, 20, Any),
    prefix("PMAK-", URL_SAFE, 20, Any),
    prefix("SG.", URL_SAFE | DOT, 32, Mixed),
    prefix("SK", HEX, 32, Exact),
    prefix("api_org_", ALNUM, 24, Any),
    prefix("dapi", HEX, 32, Exact),
    prefix("dckr_oat_", URL_SAFE, 16, Any),
    prefix("dckr_pat_", URL_SAFE, 16, Any),
    prefix("discord.com/api/webhooks/", URL_SAFE | BASE64, 12, Place),
    prefix("discordapp.com/api/webhooks/", URL_SAFE | BASE64, 12, Place),
    prefix("doo_v1_", HEX, 32, Any),
    prefix("dop_v1_", HEX, 32, Any),
    prefix("dor_v1_", HEX, 32, Any),
    prefix("dp.pt.", ALNUM, 32, Any),
    prefix("dp.st.", URL_SAFE | DOT, 32, Any),
    prefix("dt0c01.", ALNUM | DOT, 32, Any),
    prefix("duffel_live_", URL_SAFE, 20, Any),
    prefix("duffel_test_", URL_SAFE, 20, Any),
    prefix("figd_", URL_SAFE, 20, Any),
    prefix("fio-u-", URL_SAFE, 30, Any),
    prefix("fm1a_", URL_SAFE | BASE64, 40, Any),
    prefix("fm1r_", URL_SAFE | BASE64, 40, Any),
    prefix("fm2_", URL_SAFE | BASE64, 40, Any),
    prefix("fo1_", URL_SAFE, 30, Any),
    prefix("gho_", ALNUM, 20, Any),
    prefix("ghp_", ALNUM, 20, Any),
    prefix("ghr_", ALNUM, 20, Any),
    prefix("ghs_", URL_SAFE | DOT, 20, Mixed),
    prefix("ghu_", ALNUM, 20, Any),
    prefix("github_pat_", URL_SAFE, 20, Any),
    prefix("glagent-", URL_SAFE | DOT, 16, Any),
    prefix("glc_", ALNUM | BASE64, 30, Any),
    prefix("glcbt-", URL_SAFE | DOT, 16, Any),
    prefix("gldt-", URL_SAFE | DOT, 16, Any),
    prefix("glffct-", URL_SAFE | DOT, 16, Any),
    prefix("glft-", URL_SAFE | DOT, 16, Any),
    prefix("glimt-", URL_SAFE | DOT, 16, Any),
    prefix("gloas-", URL_SAFE | DOT, 16, Any),
    prefix("glpat-", URL_SAFE | DOT, 16, Any),
    prefix("glptt-", URL_SAFE | DOT, 16, Any),
    prefix("glrt-", URL_SAFE | DOT, 16, Any),
    prefix("glsa_", ALNUM | DASH, 30, Any),
    prefix("glsoat-", URL_SAFE | DOT, 16, Any),
    prefix("gsk_", ALNUM, 40, Any),
    prefix("hf_", ALNUM, 28, Any),
    prefix("hooks.slack.com/services/", ALNUM | BASE64, 8, Place),
    prefix("hooks.slack.com/triggers/", ALNUM | BASE64, 8, Place),
    prefix("hooks.slack.com/workflows/", ALNUM | BASE64, 8, Place),
    prefix("hvb.", URL_SAFE, 20, Any),
    prefix("hvr.", URL_SAFE, 20, Any),
    prefix("hvs.", URL_SAFE, 20, Any),
    prefix("key-", HEX, 32, Exact),
    prefix("lin_api_", ALNUM, 28, Any),
    prefix("lin_oauth_", ALNUM, 28, Any),
    prefix("lsv2_pt_", URL_SAFE, 28, Any),
    prefix("lsv2_sk_", URL_SAFE, 28, Any),
    prefix("npm_", ALNUM, 28, Any),
    prefix("ntn_", ALNUM, 36, Any),
    prefix("nvapi-", URL_SAFE, 40, Any),
    prefix("ops_eyJ", URL_SAFE | BASE64, 40, Any),
    prefix("phx_", ALNUM, 32, Any),
    prefix("pnu_", ALNUM, 32, Any),
    prefix("pplx-", ALNUM, 32, Any),
    prefix("pscale_oauth_", URL_SAFE | DOT, 28, Any),
    prefix("pscale_pw_", URL_SAFE | DOT, 28, Any),
    prefix("pscale_tkn_", URL_SAFE | DOT, 28, Any),
    prefix("pul-", HEX, 32, Any),
    prefix("pylf_v1_", URL_SAFE, 20, Any),
    prefix("pypi-", URL_SAFE, 40, Mixed),
    prefix("r8_", ALNUM, 32, Any),
    prefix("rdme_", ALNUM, 32, Any),
    prefix("rk_live_", URL_SAFE, 10, Any),
    prefix("rk_prod_", URL_SAFE, 10, Any),
    prefix("rk_test_", URL_SAFE, 10, Any),
    prefix("rubygems_", HEX, 32, Any),
    prefix("sb_secret_", URL_SAFE, 16, Any),
    prefix("sbp_", HEX, 32, Any),
    prefix("secret_", ALNUM, 40, Any),
    prefix("sgp_", URL_SAFE, 36, Any),
    prefix("shpat_", ALNUM, 28, Any),
    prefix("shpca_", ALNUM, 28, Any),
    prefix("shppa_", ALNUM, 28, Any),
    prefix("shpss_", ALNUM, 28, Any),
    prefix("shippo_live_", HEX, 32, Any),
    prefix("sk-", URL_SAFE, 20, Mixed),
    prefix("sk-admin-", URL_SAFE, 16, Any),
    prefix("sk-ant-", URL_SAFE, 16, Any),
    prefix("sk-or-", URL_SAFE, 16, Any),
    prefix("sk-proj-", URL_SAFE, 16, Any),
    prefix("sk-svcacct-", URL_SAFE, 16, Any),
    prefix("sk_live_", URL_SAFE, 10, Any),
    prefix("sk_prod_", URL_SAFE, 10, Any),
    prefix("sk_test_", URL_SAFE, 10, Any),
    prefix("sntrys_", URL_SAFE | BASE64, 40, Any),
    prefix("sntryu_", HEX, 40, Any),
    prefix("sq0atp-", URL_SAFE, 20, Any),
    prefix("sq0csp-", URL_SAFE, 20, Any),
    prefix("tfp_", URL_SAFE, 40, Any),
    prefix("tvly-", URL_SAFE, 28, Any),
    prefix("whsec_", ALNUM | BASE64, 16, Any),
    prefix("xai-", ALNUM, 60, Any),
    prefix("xapp-", URL_SAFE, 10, Mixed),
    prefix("xkeysib-", URL_SAFE, 40, Any),
    prefix("xoxa-", URL_SAFE | DOT, 10, Any),
    prefix("xoxb-", URL_SAFE | DOT, 10, Any),
    prefix("xoxc-", URL_SAFE | DOT, 10, Any),
    prefix("xoxd-", URL_SAFE | DOT | BASE64, 10, Any),
    prefix("xoxe-", URL_SAFE | DOT, 10, Any),
    prefix("xoxe.", URL_SAFE | DOT, 10, Any),
    prefix("xoxo-", URL_SAFE | DOT, 10, Any),
    prefix("xoxp-", URL_SAFE | DOT, 10, Any),
    prefix("xoxr-", URL_SAFE | DOT, 10, Any),
    prefix("xoxs-", URL_SAFE | DOT, 10, Any),
    prefix("ya29.", URL_SAFE | DOT, 16, Any),
];

/// Where the prefixes with each first byte begin; the next byte's beginning is their end.
pub(super) const BY_FIRST_BYTE: [u8; 129] = {
    let mut starts = [0; 129];
    let mut at = 0;
    let mut byte = 0;
    while byte < 128 {
        starts[byte] = at as u8;
        while at < PREFIXES.len() && PREFIXES[at].text[0] == byte as u8 {
            at += 1;
        }
        byte += 1;
    }
    assert!(at == PREFIXES.len(), "PREFIXES must be sorted by their first byte");
    starts[128] = at as u8;
    starts
};
