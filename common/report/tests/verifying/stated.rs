//! The coordinator's statement as any in-toto tool reads it: checked here by what the specifications say, without a
//! line of ours.
//!
//! # References
//!
//! - in-toto Attestation Framework, Statement v1.
//! - DSSE: Dead Simple Signing Envelope v1, secure-systems-lab, protocol.md.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::untouched;

const KIND: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "evidence/statement.json";

/// What stands before the 32 bytes of an Ed25519 key in a certificate (RFC 8410, section 4).
const KEY_FOLLOWS: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The certificate that stands in a text, as bytes.
fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    BASE64.decode(lines.collect::<String>()).unwrap()
}

/// The key that a certificate certifies.
fn key(certificate: &[u8]) -> VerifyingKey {
    let mut places = certificate.windows(KEY_FOLLOWS.len());
    let at = places.position(|bytes| bytes == KEY_FOLLOWS).unwrap();
    let key = &certificate[at + KEY_FOLLOWS.len()..][..32];
    VerifyingKey::from_bytes(key.try_into().unwrap()).unwrap()
}

/// What is signed: `DSSEv1`, the type and the payload, each with its length before it, all parted by a space.
fn pre_authentication_encoding(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[test]
fn the_statement_is_one_that_in_toto_tools_read() {
    let (_, files) = untouched();
    let envelope: Value = serde_json::from_slice(&files[STATEMENT]).unwrap();
    assert_eq!(envelope["payloadType"], KIND);
    let payload = BASE64.decode(envelope["payload"].as_str().unwrap()).unwrap();

    let [signature] = &envelope["signatures"].as_array().unwrap()[..] else { panic!("one signs") };
    let signers: Value = serde_json::from_slice(&files["report.sig.json"]).unwrap();
    let certificate = der(signers[0]["certificate"].as_str().unwrap());
    assert_eq!(signature["keyid"], hex(&Sha256::digest(&certificate)));
    let signed = BASE64.decode(signature["sig"].as_str().unwrap()).unwrap();
    let signed = Signature::from_slice(&signed).unwrap();
    let holds = |kind: &str, payload: &[u8]| {
        let encoded = pre_authentication_encoding(kind, payload);
        key(&certificate).verify_strict(&encoded, &signed).is_ok()
    };
    assert!(holds(KIND, &payload));
    assert!(!holds("application/json", &payload) && !holds(KIND, &payload[1..]));

    let statement: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let subjects = statement["subject"].as_array().unwrap();
    let stated: BTreeMap<String, String> = subjects
        .iter()
        .map(|subject| (text(&subject["name"]), text(&subject["digest"]["sha256"])))
        .collect();
    assert_eq!(stated.len(), subjects.len(), "each file once");
    // It cannot speak of itself, and the archive holds it.
    let others =
        files.iter().filter(|(path, _)| ![STATEMENT, "evidence.zip"].contains(&path.as_str()));
    let here: BTreeMap<String, String> =
        others.map(|(path, bytes)| (path.clone(), hex(&Sha256::digest(bytes)))).collect();
    assert_eq!(stated, here);
}
