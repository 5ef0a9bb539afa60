//! Azure resource ids and address ranges.

use super::{texts, trial};
use peer_wizard::net::{VnetId, covers, leaf, overlaps};
use proptest::{
    collection::vec,
    prelude::any,
    prop_assert, prop_assert_eq,
    sample::{Index, select},
    strategy::{Just, Strategy, Union},
    string::string_regex,
};
use std::net::Ipv4Addr;

/// The places of an id's words that are the same in all ids.
const FIXED: [usize; 5] = [0, 2, 4, 5, 6];

/// Parts that ids are made of.
const PIECES: &[&str] = &[
    "/",
    "//",
    "/subscriptions/",
    "/resourceGroups/",
    "/providers/",
    "Microsoft.Network",
    "/virtualNetworks/",
    "/SUBSCRIPTIONS/",
    "s",
    "rg",
    "VNet",
    " ",
    "\u{a0}",
    "é",
    "İ",
    "Σ",
    "ß",
    ".",
    "(x)",
    "subnets",
    "https://management.azure.com",
];

/// An id by Azure's naming rules, taken apart.
fn vnet() -> impl Strategy<Value = VnetId> {
    let subscription = string_regex("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    let group = string_regex(r"[\p{L}\p{Nd}_.()-]{0,89}[\p{L}\p{Nd}_()-]");
    let name = string_regex("[0-9A-Za-z]([0-9A-Za-z_.-]{0,78}[0-9A-Za-z_])?");
    (
        subscription.expect("a regex"),
        group.expect("a regex"),
        name.expect("a regex"),
    )
        .prop_map(|(subscription, resource_group, name)| VnetId {
            subscription,
            resource_group,
            name,
        })
}

/// The parts of an id between its slashes.
fn parts(id: &str) -> Vec<String> {
    id.split('/').skip(1).map(str::to_owned).collect()
}

fn joined(parts: &[String]) -> String {
    parts.iter().map(|part| format!("/{part}")).collect()
}

/// The text with some of its ASCII letters in the other case.
fn in_case(text: &str, flips: &[bool]) -> String {
    let flip = |(c, flip): (char, &bool)| match (flip, c.is_ascii_uppercase()) {
        (false, _) => c,
        (true, true) => c.to_ascii_lowercase(),
        (true, false) => c.to_ascii_uppercase(),
    };
    text.chars().zip(flips.iter().cycle()).map(flip).collect()
}

fn flips() -> impl Strategy<Value = Vec<bool>> {
    vec(any::<bool>(), 1..24)
}

#[test]
fn an_id_is_read_back_as_it_was_in_any_case_of_its_fixed_words() {
    let inputs = (vnet(), flips(), 0..3_usize, 0..3_usize);
    trial::holds(
        "ids of networks",
        1500,
        &inputs,
        |(id, flips, spaces, slashes)| {
            let text = id.to_string();
            prop_assert_eq!(VnetId::parse(&text), Some(id.clone()));
            prop_assert_eq!(leaf(&text), &id.name);
            let mut cased = parts(&text);
            for at in FIXED {
                cased[at] = in_case(&cased[at], &flips);
            }
            // As pasted: with spaces around it and slashes at its end.
            let space = " ".repeat(spaces);
            let pasted = format!("{space}{}{}\n", joined(&cased), "/".repeat(slashes));
            prop_assert_eq!(VnetId::parse(&pasted), Some(id));
            Ok(())
        },
    );
}

/// How an id is spoilt.
#[derive(Clone, Debug)]
enum Spoil {
    Drop(Index),
    Empty(Index),
    Add(Index, String),
    Reword(Index, String),
    Before(&'static str),
    Bare,
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let part = || string_regex("[0-9A-Za-z._()-]{1,12}").expect("a regex");
    Union::new(vec![
        any::<Index>().prop_map(Spoil::Drop).boxed(),
        any::<Index>().prop_map(Spoil::Empty).boxed(),
        (any::<Index>(), part())
            .prop_map(|(at, part)| Spoil::Add(at, part))
            .boxed(),
        (any::<Index>(), part())
            .prop_map(|(at, part)| Spoil::Reword(at, part))
            .boxed(),
        select(&["https://management.azure.com", "x", "/", "\u{feff}"][..])
            .prop_map(Spoil::Before)
            .boxed(),
        Just(Spoil::Bare).boxed(),
    ])
}

#[test]
fn an_id_with_a_part_too_few_too_many_or_another_is_none() {
    trial::holds("spoilt ids", 2000, &(vnet(), spoil()), |(id, spoil)| {
        let mut parts = parts(&id.to_string());
        let count = parts.len();
        let spoilt = match spoil {
            Spoil::Drop(at) => {
                parts.remove(at.index(count));
                joined(&parts)
            }
            Spoil::Empty(at) => {
                parts[at.index(count)].clear();
                joined(&parts)
            }
            Spoil::Add(at, part) => {
                parts.insert(at.index(count + 1), part);
                joined(&parts)
            }
            Spoil::Reword(at, part) => {
                // One letter more, so that it is never the word itself.
                parts[FIXED[at.index(FIXED.len())]].push_str(&part);
                joined(&parts)
            }
            Spoil::Before(text) => format!("{text}{id}"),
            Spoil::Bare => id.to_string()[1..].to_owned(),
        };
        prop_assert!(
            VnetId::parse(&spoilt).is_none(),
            "{spoilt} is taken for an id"
        );
        Ok(())
    });
}

#[test]
fn what_looks_like_an_id_is_read_or_refused() {
    let texts = || Union::new(vec![texts::text().boxed(), texts::text_of(PIECES).boxed()]);
    trial::holds(
        "texts read as ids",
        4000,
        &(texts(), texts()),
        |(one, other)| {
            if let Some(id) = VnetId::parse(&one) {
                prop_assert_eq!(VnetId::parse(&id.to_string()), Some(id));
            }
            let last = leaf(&one);
            prop_assert!(one.contains(last) && !last.contains('/'));
            prop_assert!(covers(&one, &one));
            let below = format!("{}/{}", other.trim_end_matches('/'), "x");
            prop_assert!(covers(&other, &below));
            let _ = covers(&one, &other);
            prop_assert!(overlaps(&[&one], &[&other]).len() <= 1);
            Ok(())
        },
    );
}

#[test]
fn a_scope_covers_itself_and_all_below_it_and_nothing_beside_it() {
    let inputs = (vnet(), any::<Index>(), flips());
    trial::holds("scopes", 1500, &inputs, |(id, at, flips)| {
        let text = id.to_string();
        let parts = parts(&text);
        let at = at.index(parts.len());
        let scope = in_case(&joined(&parts[..=at]), &flips);
        prop_assert!(covers(&scope, &text), "{scope}");
        prop_assert!(covers(&format!("{scope}/"), &text), "{scope}/");
        prop_assert!(at + 1 == parts.len() || !covers(&text, &scope), "{scope}");
        prop_assert!(!covers(&format!("{scope}x"), &text), "{scope}x");
        Ok(())
    });
}

/// A range of IPv4 addresses, close enough to others to meet them.
fn range() -> impl Strategy<Value = (u32, u8)> {
    let near = (0..8_u32, 0..4_u32).prop_map(|(a, b)| 0x0a00_0000 | (a << 21) | (b << 8));
    let address = Union::new(vec![near.boxed(), any::<u32>().boxed()]);
    (address, 0..=32_u8)
}

#[test]
fn ranges_overlap_when_the_bits_that_both_fix_are_the_same() {
    let ranges = || vec(range(), 0..5);
    trial::holds(
        "lists of ranges",
        2000,
        &(ranges(), ranges()),
        |(ours, theirs)| {
            let text = |(address, length): &(u32, u8)| {
                format!("{}/{length}", Ipv4Addr::from_bits(*address))
            };
            let (mine, other): (Vec<_>, Vec<_>) = (
                ours.iter().map(text).collect(),
                theirs.iter().map(text).collect(),
            );
            let mut expected = Vec::new();
            for (a, (address, length)) in mine.iter().zip(&ours) {
                for (b, (address_b, length_b)) in other.iter().zip(&theirs) {
                    let bit = |address: u32, at: u8| (address >> (31 - at)) & 1;
                    if (0..*length.min(length_b)).all(|at| bit(*address, at) == bit(*address_b, at))
                    {
                        expected.push((a.as_str(), b.as_str()));
                    }
                }
            }
            let mut mine: Vec<&str> = mine.iter().map(String::as_str).collect();
            let other: Vec<&str> = other.iter().map(String::as_str).collect();
            prop_assert_eq!(overlaps(&mine, &other), expected.clone());
            // What is no IPv4 range changes nothing.
            mine.insert(0, "fd00::/8");
            mine.push("10.0.0.0/33");
            prop_assert_eq!(overlaps(&mine, &other), expected);
            Ok(())
        },
    );
}
