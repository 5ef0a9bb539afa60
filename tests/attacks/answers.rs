//! Answers that are too much, too long, too deep, or no answers at all, to each request that a preview sends: the program ends
//! by itself, soon, within little memory, with an error that says why.

use super::{
    hostile::{Deed, Hostile, Reply},
    scene::{Broken, error, factor, side_by_side, some, tried, unsound, watched},
    support::Cloud,
};
use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
use peer_wizard::providers;
use std::{
    io::{self, Write},
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The requests of a preview, by a part of each.
const PARTS: [&str; 8] = [
    "/v1/project/acme-prod/vpcs/",
    "virtualNetworks/vnet-hub-prod?api",
    "/locks?",
    "9590?api-version=2022-12-01",
    "/permissions?",
    "/v1.0/servicePrincipals(",
    "/roleDefinitions?api",
    "/oauth2/v2.0/token",
];

/// Those whose answers a run cannot do without.
const STRICT: [&str; 3] = [
    "/v1/project/acme-prod/vpcs/",
    "/permissions?",
    "/v1.0/servicePrincipals(",
];

/// Nobody writes more than this, even to somebody who reads it all.
const MUCH: usize = 24 << 20;

/// What a trick writes, from the first byte on.
type Trick = fn(&mut dyn Write) -> io::Result<()>;

fn head(to: &mut dyn Write, more: &str) -> io::Result<()> {
    write!(
        to,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}\r\n"
    )
}

fn whole(to: &mut dyn Write, more: &str, body: &[u8]) -> io::Result<()> {
    head(to, &format!("{more}content-length: {}\r\n", body.len()))?;
    to.write_all(body)
}

/// A text of spaces within a JSON value that would be a good answer.
fn long(size: usize) -> Vec<u8> {
    let mut text = b"{\"value\":[],\"pad\":\"".to_vec();
    text.resize(size, b' ');
    text.extend(b"\"}");
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

fn chunks(to: &mut dyn Write, chunk: &[u8]) -> io::Result<()> {
    head(to, "transfer-encoding: chunked\r\n")?;
    for _ in 0..MUCH / chunk.len() {
        write!(to, "{:x}\r\n", chunk.len())?;
        to.write_all(chunk)?;
        to.write_all(b"\r\n")?;
    }
    Ok(())
}

fn flood(to: &mut dyn Write, first: &str, line: &str, last: &str) -> io::Result<()> {
    to.write_all(first.as_bytes())?;
    let block = line.repeat(1 + (1 << 14) / line.len());
    for _ in 0..MUCH / block.len() {
        to.write_all(block.as_bytes())?;
    }
    to.write_all(last.as_bytes())
}

/// Those that unpack to, or are, more than anybody may send: each has to end with an error that has a code and a hint.
const TOO_MUCH: &[(&str, Trick)] = &[
    ("gzip bomb", |to| {
        whole(to, "content-encoding: gzip\r\n", &gzip(&long(MUCH)))
    }),
    ("gzip bomb of many members", |to| {
        let member = gzip(&[b' '; 1 << 16]);
        whole(to, "content-encoding: gzip\r\n", &member.repeat(MUCH >> 16))
    }),
    ("zlib bomb", |to| {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&long(MUCH))?;
        whole(to, "content-encoding: deflate\r\n", &packer.finish()?)
    }),
    ("plain", |to| whole(to, "", &long(MUCH))),
    ("chunks for ever", |to| chunks(to, &[b' '; 4096])),
    ("packed chunks for ever", |to| {
        head(
            to,
            "content-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
        )?;
        let block = gzip(&[b' '; 1 << 16]);
        for _ in 0..MUCH >> 16 {
            write!(to, "{:x}\r\n", block.len())?;
            to.write_all(&block)?;
            to.write_all(b"\r\n")?;
        }
        Ok(())
    }),
    ("objects without end", |to| {
        let text = format!("{{\"value\":[{}{{}}]}}", "{\"a\":1},".repeat(1_900_000));
        whole(to, "", text.as_bytes())
    }),
    ("lists without end", |to| {
        let text = format!("{{\"value\":[{}[]]}}", "[],".repeat(5_000_000));
        whole(to, "", text.as_bytes())
    }),
    ("numbers without end", |to| {
        let text = format!("{{\"value\":[{}1]}}", "1,".repeat(8_000_000));
        whole(to, "", text.as_bytes())
    }),
    ("until the end", |to| {
        head(to, "connection: close\r\n")?;
        to.write_all(&long(MUCH))
    }),
];

/// Those that are merely odd: it may bear them or not, but it ends like a program.
const ODD: &[(&str, Trick)] = &[
    ("gzip in gzip", |to| {
        let inner = gzip(&gzip(&long(MUCH)));
        whole(to, "content-encoding: gzip, gzip\r\n", &inner)
    }),
    ("gzip cut short", |to| {
        let packed = gzip(&long(5000));
        whole(
            to,
            "content-encoding: gzip\r\n",
            &packed[..packed.len() / 2],
        )
    }),
    ("gzip that is none", |to| {
        whole(to, "content-encoding: gzip\r\n", b"{\"value\":[]}")
    }),
    ("unknown packing", |to| {
        whole(to, "content-encoding: br\r\n", b"\x0b\x02\x80{}\x03")
    }),
    ("headers for ever", |to| {
        flood(to, "HTTP/1.1 200 OK\r\n", "x-more: of it\r\n", "\r\n")
    }),
    ("one header for ever", |to| {
        flood(to, "HTTP/1.1 200 OK\r\nx-more: ", "of it ", "\r\n\r\n")
    }),
    ("a status line for ever", |to| {
        flood(to, "HTTP/1.1 200 ", "fine ", "\r\n\r\n")
    }),
    ("interim answers for ever", |to| {
        flood(to, "", "HTTP/1.1 103 Early\r\nlink: <x>\r\n\r\n", "")
    }),
    ("a trailer for ever", |to| {
        head(to, "transfer-encoding: chunked\r\n")?;
        flood(to, "2\r\n{}\r\n0\r\n", "x-more: of it\r\n", "\r\n")
    }),
    ("a chunk's extension for ever", |to| {
        head(to, "transfer-encoding: chunked\r\n")?;
        flood(to, "2;", "x=y;", "\r\n{}\r\n0\r\n\r\n")
    }),
    ("a chunk of 2^64", |to| {
        head(to, "transfer-encoding: chunked\r\n")?;
        to.write_all(b"ffffffffffffffffff\r\n{}")
    }),
    ("arrays within arrays", |to| {
        whole(to, "", "[".repeat(1_000_000).as_bytes())
    }),
    ("whole arrays within arrays", |to| {
        let text = "[".repeat(500_000) + &"]".repeat(500_000);
        whole(to, "", text.as_bytes())
    }),
    ("objects within objects", |to| {
        let text = "{\"value\":".repeat(1_000_000) + "1" + &"}".repeat(1_000_000);
        whole(to, "", text.as_bytes())
    }),
    ("a number too large", |to| {
        whole(to, "", b"{\"value\":1e999}")
    }),
    ("a number of a million digits", |to| {
        let text = format!("{{\"value\":[{}]}}", "9".repeat(1_000_000));
        whole(to, "", text.as_bytes())
    }),
    ("no UTF-8", |to| {
        whole(to, "", b"{\"value\":[],\"name\":\"\xff\xfe\"}")
    }),
    ("a BOM", |to| whole(to, "", b"\xef\xbb\xbf{\"value\":[]}")),
    ("UTF-16", |to| whole(to, "", b"\xff\xfe{\0}\0")),
    ("NUL", |to| whole(to, "", b"\0\0\0\0")),
    ("NUL in a text", |to| {
        whole(to, "", b"{\"value\":[],\"id\":\"a\\u0000b\"}")
    }),
    ("a lone surrogate", |to| {
        whole(to, "", b"{\"value\":[],\"id\":\"\\ud800\"}")
    }),
    ("204 with a body", |to| {
        to.write_all(b"HTTP/1.1 204 X\r\ncontent-length: 2\r\n\r\n{}")
    }),
    ("304", |to| to.write_all(b"HTTP/1.1 304 X\r\n\r\n")),
    ("101", |to| {
        to.write_all(b"HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
    }),
    ("300 to nowhere", |to| {
        to.write_all(b"HTTP/1.1 300 X\r\ncontent-length: 0\r\n\r\n")
    }),
    ("nothing", |to| whole(to, "", b"")),
    ("null", |to| whole(to, "", b"null")),
    ("a text", |to| whole(to, "", b"\"\"")),
    ("a list", |to| whole(to, "", b"[]")),
    ("nothing in it", |to| whole(to, "", b"{}")),
    ("a value that is null", |to| {
        whole(to, "", b"{\"value\":null}")
    }),
    ("a value that is no list", |to| {
        whole(to, "", b"{\"value\":{\"value\":[]}}")
    }),
    ("odd values", |to| {
        whole(
            to,
            "",
            b"{\"value\":[null,1,-1.5,\"x\",[],{},{\"id\":null},{\"id\":[]}]}",
        )
    }),
    ("one key twice", |to| {
        whole(
            to,
            "",
            b"{\"value\":[],\"value\":[1],\"id\":1,\"id\":\"x\"}",
        )
    }),
    ("a page", |to| {
        whole(to, "", b"<!doctype html><title>Sign in</title>")
    }),
    ("more JSON after the JSON", |to| {
        whole(to, "", b"{\"value\":[]}{\"value\":[]}")
    }),
    ("less than it says", |to| {
        to.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 9999\r\n\r\n{}")
    }),
    ("more than it says", |to| {
        to.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 X\r\n\r\n{}")
    }),
    ("a negative length", |to| {
        to.write_all(b"HTTP/1.1 200 X\r\ncontent-length: -2\r\n\r\n{}")
    }),
    ("a length of 2^64 - 1", |to| {
        to.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 18446744073709551615\r\n\r\n{}")
    }),
    ("two lengths", |to| {
        to.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ")
    }),
    ("a length and chunks", |to| {
        to.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}")
    }),
    ("status 999", |to| {
        to.write_all(b"HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n")
    }),
    ("status 99999", |to| {
        to.write_all(b"HTTP/1.1 99999 X\r\ncontent-length: 0\r\n\r\n")
    }),
    ("status 000", |to| {
        to.write_all(b"HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n")
    }),
    ("another protocol", |to| {
        to.write_all(b"220 mail.example ESMTP\r\n")
    }),
    ("a bare end", |_| Ok(())),
    ("407", |to| {
        to.write_all(b"HTTP/1.1 407 X\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n")
    }),
];

/// Refusals whose bodies are the attack.
fn refusals() -> Vec<(String, Reply)> {
    let deep = |open: &str, close: &str| open.repeat(60_000) + "1" + &close.repeat(60_000);
    let bodies = [
        (
            "a message of 8 MiB",
            format!(
                "{{\"error\":{{\"code\":\"X\",\"message\":\"{}\"}}}}",
                "m".repeat(8 << 20)
            ),
        ),
        (
            "a code of 8 MiB",
            format!(
                "{{\"error\":{{\"code\":\"{}\",\"message\":\"m\"}}}}",
                "X".repeat(8 << 20)
            ),
        ),
        (
            "details without end",
            format!(
                "{{\"error\":{{\"code\":\"X\",\"details\":[{}1]}}}}",
                "{\"code\":\"Y\"},".repeat(200_000)
            ),
        ),
        (
            "causes within causes",
            deep("{\"error\":{\"innererror\":", "}}"),
        ),
        (
            "causes within causes, not so deep",
            "{\"error\":{\"code\":\"X\",\"message\":\"m\",\"innererror\":".repeat(30)
                + "1"
                + &"}}".repeat(30),
        ),
        (
            "an error that is a text",
            "{\"error\":\"no\",\"message\":[1]}".into(),
        ),
        (
            "an error that is a list",
            "{\"error\":[],\"errors\":{}}".into(),
        ),
        (
            "an error that is null",
            "{\"error\":null,\"errors\":null,\"message\":null}".into(),
        ),
        (
            "an error of numbers",
            "{\"error\":{\"code\":1e300,\"message\":-1,\"details\":7}}".into(),
        ),
        (
            "an error in an error",
            "{\"error\":{\"message\":\"{\\\"error\\\":{\\\"message\\\":\\\"{}\\\"}}\"}}".into(),
        ),
    ];
    let mut all = Vec::new();
    for (name, body) in bodies {
        for status in [400, 401, 403, 409] {
            all.push((
                format!("{status} with {name}"),
                Reply::new(status, body.clone()),
            ));
        }
    }
    for claims in [
        String::new(),
        "Bearer".into(),
        "Bearer claims=".into(),
        "Bearer claims=\"".into(),
        "Bearer error=\"insufficient_claims\", claims=\"%%%\"".into(),
        "Bearer error=\"insufficient_claims\", claims=\"$(touch /tmp/x)'; rm -rf ~ #\"".into(),
        format!(
            "Bearer error=\"insufficient_claims\", claims=\"{}\"",
            "e30=".repeat(12_000)
        ),
        "Bearer claims=\"e30=\", claims=\"e30=\", ,,,=,\"\\".into(),
    ] {
        let reply = Reply::new(401, "{}").with("www-authenticate", claims.clone());
        let short: String = claims.chars().take(60).collect();
        all.push((format!("401 and {short}"), reply));
    }
    all
}

/// Looks at the preview while one of its requests is answered like this, once.
fn attack(
    name: &str,
    part: &'static str,
    much: bool,
    deed: impl Fn() -> Deed + Send + Sync + 'static,
    broken: &Broken,
) {
    let cloud = Cloud::new();
    let provider = &providers::aiven::PROJECT;
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    let hostile = Hostile::before(&cloud, move |asked| {
        if asked.target.contains(part) {
            // What may pass is asked for again, with pauses: the second time it is well.
            if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                return deed();
            }
        }
        Deed::Pass
    });
    let env = hostile.home(&cloud, provider.id);
    let mut args = cloud.json_args(provider);
    args.retain(|arg| arg != "--yes");
    args.extend(["--timeout", "1s"].map(str::to_owned));
    let ended = watched(&env, &args);
    let hits = hits.load(Ordering::Relaxed);
    let error = error(&ended.output);
    let what = format!(
        "{name}, at {part}: {hits} times, {:?}, {} MiB, exit {:?}, {} {:.300}",
        ended.took,
        ended.memory >> 10,
        ended.output.code,
        error["code"],
        error["message"]
    );
    if hits == 0 {
        broken.note(format!("never asked: {what}"));
    }
    if let Some(why) = unsound(&ended.output) {
        broken.note(format!("{why}: {what}\n{}", ended.output));
    }
    if ended.took > Duration::from_secs(20) || hits > 12 {
        broken.note(format!("it does not give up: {what}"));
    }
    if ended.memory > 160 << 10 {
        broken.note(format!("too much memory: {what}"));
    }
    if ended.output.stdout.len() + ended.output.stderr.len() > 64 << 10 {
        broken.note(format!("it says too much: {what}"));
    }
    let hints = error["hints"].as_array().map_or(0, Vec::len);
    if much && ended.output.code != Some(2) && hints == 0 {
        broken.note(format!("no hint: {what}\n{}", ended.output));
    }
    if hostile.asked().iter().any(super::hostile::Asked::changes) {
        broken.note(format!("something was changed: {what}"));
    }
}

#[test]
fn an_answer_that_is_too_much_or_odd_ends_the_preview_and_not_the_program() {
    type Making = Box<dyn Fn() -> Deed + Send + Sync>;
    let broken = Broken::default();
    let mut all: Vec<(String, &'static str, bool, Making)> = Vec::new();
    for round in 0..factor().min(PARTS.len()) {
        for (at, (name, trick)) in TOO_MUCH.iter().chain(ODD).enumerate() {
            let making = || Deed::Write(Box::new(*trick));
            // Some of a preview's requests are read only as far as they help.
            let part = if at < TOO_MUCH.len() {
                STRICT[(at + round) % STRICT.len()]
            } else {
                PARTS[(at + round) % PARTS.len()]
            };
            all.push(((*name).into(), part, at < TOO_MUCH.len(), Box::new(making)));
        }
        for (at, (name, reply)) in refusals().into_iter().enumerate() {
            let making = move || Deed::Say(reply.clone());
            all.push((
                name,
                PARTS[(at * 4 + round) % PARTS.len()],
                false,
                Box::new(making),
            ));
        }
    }
    let all = some(all, 2);
    let count = all.len();
    side_by_side(all, |(name, part, much, making)| {
        attack(&name, part, much, making, &broken);
    });
    tried(count, "answers that are too much or odd");
    broken.none();
}
