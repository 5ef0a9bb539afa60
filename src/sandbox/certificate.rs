//! As much of a certificate as the services look at: how long it is good, its public key, its thumbprints.
//! <https://www.rfc-editor.org/rfc/rfc5280#section-4.1>

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::lag::parse_stamp;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// A certificate that was read.
pub(super) struct Certificate {
    /// From when on it is good, in seconds since 1970.
    pub from: f64,
    /// Until when it is good.
    pub until: f64,
    key: Vec<u8>,
    der: Vec<u8>,
}

/// How a signature was made.
#[derive(Clone, Copy)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
}

impl Certificate {
    /// Reads base64, in one line or more, of a certificate in DER.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text: String = text.split_ascii_whitespace().collect();
        Self::parse(STANDARD.decode(text).ok()?)
    }

    fn parse(der: Vec<u8>) -> Option<Self> {
        let (certificate, rest) = inside(&der, SEQUENCE)?;
        if !rest.is_empty() {
            return None;
        }
        let (mut fields, _) = inside(certificate, SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            fields = skip(fields)?;
        }
        // Serial number, algorithm, issuer.
        for _ in 0..3 {
            fields = skip(fields)?;
        }
        let (validity, fields) = inside(fields, SEQUENCE)?;
        let (from, validity) = moment(validity)?;
        let (until, _) = moment(validity)?;
        // The subject.
        let fields = skip(fields)?;
        let after = skip(fields)?;
        let key = fields[..fields.len() - after.len()].to_vec();
        Some(Self {
            from,
            until,
            key,
            der,
        })
    }

    /// SHA-1 of it, by which people know it.
    pub(super) fn sha1(&self) -> Vec<u8> {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der)
            .as_ref()
            .to_vec()
    }

    /// SHA-256 of it.
    pub(super) fn sha256(&self) -> Vec<u8> {
        digest(&SHA256, &self.der).as_ref().to_vec()
    }

    /// Whether who signed this has its private key.
    pub(super) fn verifies(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn aws_lc_rs::signature::VerificationAlgorithm = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.key)
            .verify(text, signature)
            .is_ok()
    }
}

/// The tag of the first thing, what is in it, and what comes after it.
fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let count = usize::from(length & 0x7f);
        if count == 0 || count > 3 {
            return None;
        }
        let (long, rest) = rest.split_at_checked(count)?;
        let add = |sum: usize, byte: &u8| sum * 256 + usize::from(*byte);
        (long.iter().fold(0, add), rest)
    };
    let (inside, after) = rest.split_at_checked(length)?;
    Some((tag, inside, after))
}

fn inside(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, inside, after) = first(bytes)?;
    (tag == wanted).then_some((inside, after))
}

fn skip(bytes: &[u8]) -> Option<&[u8]> {
    first(bytes).map(|(_, _, after)| after)
}

fn moment(bytes: &[u8]) -> Option<(f64, &[u8])> {
    let (tag, text, after) = first(bytes)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        // Two digits of the year: from 1950 to 2049.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let stamp = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    Some((parse_stamp(&stamp)?, after))
}
