//! Tries a rule with many inputs and says how many.

use proptest::{
    collection::vec,
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner},
};
use std::{cell::Cell, env, fmt::Debug};

/// What a rule says of an input.
pub type Verdict = Result<(), TestCaseError>;

/// How many inputs share a batch at most.
const BATCH: usize = 400;

/// Shrinking ends after so many steps, since each may start a process.
const SHRINKS: u32 = 4000;

/// Tries `rule` with `cases` inputs, or as many times more as `PEER_WIZARD_CASES` says.
#[track_caller]
pub fn holds<S: Strategy>(what: &str, cases: u32, inputs: &S, rule: impl Fn(S::Value) -> Verdict) {
    let tried = run(cases, inputs, |_| 1, rule);
    say(what, tried);
}

/// The same for a rule that is dear to start and cheap to repeat: it is given many inputs at once.
#[track_caller]
pub fn holds_in_batches<S: Strategy>(
    what: &str,
    batches: u32,
    input: S,
    rule: impl Fn(Vec<S::Value>) -> Verdict,
) {
    let tried = run(batches, &vec(input, 1..=BATCH), Vec::len, rule);
    say(what, tried);
}

#[track_caller]
fn run<S: Strategy>(
    cases: u32,
    inputs: &S,
    count: impl Fn(&S::Value) -> usize,
    rule: impl Fn(S::Value) -> Verdict,
) -> usize {
    let mut config = Config {
        cases: cases.saturating_mul(factor()),
        failure_persistence: None,
        max_shrink_iters: SHRINKS,
        ..Config::default()
    };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => uuid::Uuid::new_v4().as_u64_pair().0,
    };
    config.rng_seed = RngSeed::Fixed(seed);
    let tried = Cell::new(0);
    let counted = |input: S::Value| {
        tried.set(tried.get() + count(&input));
        rule(input)
    };
    match TestRunner::new(config).run(inputs, counted) {
        Ok(()) => tried.get(),
        Err(TestError::Fail(why, input)) => {
            panic!("{why}\nthe smallest input: {input:#?}\nagain with PROPTEST_RNG_SEED={seed}")
        }
        Err(TestError::Abort(why)) => panic!("{why}\nagain with PROPTEST_RNG_SEED={seed}"),
    }
}

fn factor() -> u32 {
    match env::var("PEER_WIZARD_CASES") {
        Ok(text) => text
            .parse()
            .expect("PEER_WIZARD_CASES is a whole number, such as 100"),
        Err(_) => 1,
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the count is for the person who runs the tests"
)]
fn say(what: &str, tried: usize) {
    println!("tried {tried} {what}");
}

/// Bytes that show as text when a rule is broken.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}
