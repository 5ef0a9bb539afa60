//! What goes wrong on purpose: a list of rules, each saying when, what and how often. All off by default.

use serde_json::Value;

use super::log::Service;
use super::wire::Ask;

/// Where what a proxy or a page leads astray points to.
pub(super) const ELSEWHERE: &str = "https://elsewhere.example";

/// The rules in force; the first that fits a request and is not used up applies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which requests it concerns.
    pub when: When,
    /// What happens to them.
    pub fault: Fault,
    /// How many fitting requests pass unharmed first.
    pub skip: u32,
    /// How many are then harmed; `u32::MAX` for all.
    pub times: u32,
}

/// Which requests a rule concerns; an empty one concerns all.
///
/// A fault that holds a thing concerns no request: it is matched against the thing itself, as a request to its own path
/// with the method that began what is held (for a shown peering, `GET`), and each look at the thing counts. It holds as
/// long as the rule is there and is not used up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct When {
    /// Only those for this service.
    pub service: Option<Service>,
    /// Only those with this method.
    pub method: Option<String>,
    /// Only those whose path contains this, in any case.
    pub path: Option<String>,
    /// Only those that ask for a change, token requests excepted.
    pub changes: bool,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// 429 with this `Retry-After`, in seconds.
    Throttle(u32),
    /// 429 with this text as `Retry-After`, whatever it is.
    ThrottleIn(String),
    /// This status, and nothing done.
    FailBefore(u16),
    /// 409 of the directory, which is busy with another change of the same object; nothing done.
    Concurrent,
    /// The thing is done, but the answer is 500.
    FailAfter,
    /// The thing is done, but the connection ends in the middle of the answer.
    Cut,
    /// The answer is not the service's, whether or not the thing is done.
    Answer {
        /// What comes instead.
        what: Bad,
        /// Whether the thing is done.
        done: bool,
    },
    /// The request is taken and no answer ever comes, whether or not the thing is done.
    Hang {
        /// Whether the thing is done.
        done: bool,
    },
    /// The answer begins well and never ends, whether or not the thing is done.
    Flood {
        /// Whether it is packed with gzip: a little of it unpacks to a lot.
        packed: bool,
        /// Whether the thing is done.
        done: bool,
    },
    /// The answer begins and nothing more of it comes, whether or not the thing is done.
    Stall {
        /// Whether the thing is done.
        done: bool,
    },
    /// All is well, but the answer takes this many milliseconds.
    Late(u32),
    /// Lists come in pages of this many.
    PageSize(usize),
    /// Each page of a list has a next one.
    EndlessPages,
    /// The next page of a list is the same one.
    PageCycle,
    /// Tokens and device codes are said to live this long, in seconds or in other words.
    Life(Value),
    /// Lists come in pages of one whose next page is at another origin.
    ForeignPage,
    /// Sign-in is refused by Conditional Access (53003).
    ConditionalAccess,
    /// Resource Manager wants a person's second factor before it changes something; applications are exempt.
    MfaRequired,
    /// An Azure Policy with the effect `deny` forbids changes.
    DeniedByPolicy,
    /// The token was withdrawn by continuous access evaluation, and only a new sign-in with the claims gives a good one.
    TokenWithdrawn,
    /// The claims of a challenge are not what they should be, but this text.
    OddClaims(String),
    /// A vendor's principal may not be created: the caller lacks the directory role.
    NoDirectoryRole,
    /// The operation of a change fails with this code and message; the peering stays, as `Failed`.
    FailOperation(String, String),
    /// As `FailOperation`, but of a peering that it was to make nothing is left.
    UndoOperation(String, String),
    /// The links to the operation of a change are at another origin; it goes on as usual.
    ForeignOperation,
    /// The status of an operation may not be read: 403, as for a principal with rights on the network alone.
    OperationForbidden,
    /// The operation stays `InProgress`. Holds a thing, see [`When`].
    OperationStuck,
    /// The peering is shown as `Updating`, whatever its operation says. Holds a thing, see [`When`].
    PeeringUpdating,
    /// The peering does not show yet which addresses it leads to. Holds a thing, see [`When`].
    RangeUntold,
    /// The transit gateway stays `terminating`. Holds a thing, see [`When`].
    GatewayStuck,
    /// The peering connection stays `DELETING`. Holds a thing, see [`When`].
    RowStuck,
    /// Kong takes only its own half away with a transit gateway, and the user's is left `Disconnected`. Holds a thing,
    /// see [`When`].
    LeaveHalf,
    /// The vendor ends a new peering in this state with this message.
    Refuse(String, String),
    /// The vendor shows this state word first.
    Strange(String),
    /// Role assignments do not know the principal, even when its type is given.
    PrincipalUnknown,
    /// Right after a role definition was written, somebody writes it who had read it before: it can be assigned where it
    /// could be before, and in this scope. With an assignment, right before it.
    WrittenOver(String),
    /// Right after the certificates of an application were written, somebody writes the list that they had read before, with one
    /// of their own.
    KeysWrittenOver,
    /// A virtual network is busy with something else: it shows `Updating`, and peerings on it are refused.
    NetworkUpdating,
}

/// What comes in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Half of the JSON, with a status of success and a length that fits.
    Truncated,
    /// 200 with a page of a proxy.
    Html,
    /// 200 and nothing.
    Empty,
    /// 302 to another origin.
    Redirect,
}

impl Bad {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Truncated, Self::Html, Self::Empty, Self::Redirect];
}

impl Rule {
    /// A rule that applies to every fitting request.
    #[must_use]
    pub fn always(when: When, fault: Fault) -> Self {
        Self {
            when,
            fault,
            skip: 0,
            times: u32::MAX,
        }
    }

    /// A rule that applies to the first fitting request.
    #[must_use]
    pub fn once(when: When, fault: Fault) -> Self {
        Self {
            when,
            fault,
            skip: 0,
            times: 1,
        }
    }
}

impl When {
    /// Requests for a service.
    #[must_use]
    pub fn service(service: Service) -> Self {
        Self {
            service: Some(service),
            ..Self::default()
        }
    }

    /// Requests whose path contains this.
    #[must_use]
    pub fn path(path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..Self::default()
        }
    }

    /// Requests that change something.
    #[must_use]
    pub fn changes() -> Self {
        Self {
            changes: true,
            ..Self::default()
        }
    }

    fn fits(&self, service: Service, ask: &Ask) -> bool {
        self.service.is_none_or(|wanted| wanted == service)
            && self
                .method
                .as_ref()
                .is_none_or(|wanted| *wanted == ask.method)
            && self
                .path
                .as_ref()
                .is_none_or(|wanted| ask.path.to_lowercase().contains(&wanted.to_lowercase()))
            && (!self.changes
                || (ask.mutates() && service != Service::Entra && !ask.path.ends_with("/getByIds")))
    }
}

impl Faults {
    /// One rule, applied always.
    #[must_use]
    pub fn always(when: When, fault: Fault) -> Self {
        Self {
            rules: vec![Rule::always(when, fault)],
        }
    }

    /// One rule, applied once.
    #[must_use]
    pub fn once(when: When, fault: Fault) -> Self {
        Self {
            rules: vec![Rule::once(when, fault)],
        }
    }

    /// The fault of the wanted kind that strikes this request, if any; counts it.
    pub(super) fn strike(
        &mut self,
        service: Service,
        ask: &Ask,
        wanted: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        let mut found = None;
        for rule in &mut self.rules {
            if !wanted(&rule.fault) || !rule.when.fits(service, ask) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 && found.is_none() {
                if rule.times != u32::MAX {
                    rule.times -= 1;
                }
                found = Some(rule.fault.clone());
            }
        }
        found
    }

    /// Whether a thing at this path is held by this fault; only a look at it counts.
    pub(super) fn hold(
        &mut self,
        fault: &Fault,
        service: Service,
        (method, path): (&str, &str),
        look: bool,
    ) -> bool {
        let ask = Ask {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Ask::default()
        };
        if look {
            return self.strike(service, &ask, |one| one == fault).is_some();
        }
        let in_force = |rule: &Rule| rule.skip == 0 && rule.times > 0;
        self.rules
            .iter()
            .any(|rule| rule.fault == *fault && in_force(rule) && rule.when.fits(service, &ask))
    }
}
