//! Time as the simulated services feel it: nothing that is written is seen everywhere at once.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How long changes take to become visible.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Lag {
    /// At once.
    #[default]
    None,
    /// By the clock; 1.0 is the mild default of a practice run, 2.0 is twice as slow.
    Timed(f64),
    /// After this many unsuccessful looks: deterministic, with no clock involved.
    Looks(u32),
}

/// What is spreading; each kind has its own usual delay.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spread {
    /// A new application, to the replicas of the directory.
    Application,
    /// A new service principal, to the replicas of the directory and to Azure Resource Manager.
    Principal,
    /// A new password, to the token service.
    Secret,
    /// A new password, to the replicas that show passwords and remove them.
    Password,
    /// A change of an application, to those that are made right after it.
    Change,
    /// A deleted service principal, to what makes one of the same application.
    PrincipalGone,
    /// A role assignment, to the places that check it.
    Assignment,
    /// A new role definition, to role assignments.
    Role,
    /// The places where a role can be assigned, to role assignments.
    RoleScopes,
    /// A deleted role definition, to lists of them.
    RoleGone,
    /// A changed role definition, to searches by its name.
    RoleName,
    /// An operation on a peering.
    Operation,
    /// A vendor's first half of a peering, from the request on.
    Build,
    /// A vendor noticing that both halves stand.
    Join,
    /// A vendor taking its half away.
    Removal,
    /// A vendor taking an order in hand.
    Order,
    /// A person typing a device code.
    Person,
}

impl Spread {
    const fn seconds(self) -> f64 {
        match self {
            Self::Change => 0.4,
            Self::RoleName | Self::Principal | Self::Role => 0.8,
            Self::Application | Self::Order | Self::Password => 1.2,
            Self::RoleScopes => 1.6,
            Self::Secret
            | Self::Operation
            | Self::Assignment
            | Self::Removal
            | Self::RoleGone
            | Self::PrincipalGone => 2.0,
            Self::Person | Self::Join => 3.0,
            Self::Build => 4.5,
        }
    }
}

impl Lag {
    /// The wait that starts now for a change of this kind.
    pub(super) fn begin(self, what: Spread) -> Settle {
        match (self, what) {
            (Self::None | Self::Looks(0), _) => Settle::Done,
            (Self::Timed(scale), _) => Settle::At(now() + scale * what.seconds()),
            // A change is in the way of the next one, and of no other.
            (Self::Looks(_), Spread::Change) => Settle::Looks(1),
            // Half of that time a new role is not known at all, the other half not where it can be assigned.
            (Self::Looks(looks), Spread::Role) => Settle::Looks(looks.div_ceil(2)),
            (Self::Looks(looks), _) => Settle::Looks(looks),
        }
    }
}

/// A change on its way to being visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Settle {
    /// Visible.
    #[default]
    Done,
    /// Visible from this moment on, in seconds since 1970.
    At(f64),
    /// Visible after this many more looks.
    Looks(u32),
}

impl Settle {
    /// Whether it is visible, without counting as a look.
    #[must_use]
    pub fn due(self) -> bool {
        match self {
            Self::Done | Self::Looks(0) => true,
            Self::At(moment) => now() >= moment,
            Self::Looks(_) => false,
        }
    }

    /// Looks once: whether it is visible, and one look nearer to it if not.
    pub fn look(&mut self) -> bool {
        if self.due() {
            *self = Self::Done;
            return true;
        }
        if let Self::Looks(left) = self {
            *left -= 1;
        }
        false
    }
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

/// The present moment as the services print it.
pub(super) fn stamp() -> String {
    stamp_after(0)
}

/// The present moment as Azure prints it where two writings in one second are told apart.
pub(super) fn precise_stamp() -> String {
    let moment = OffsetDateTime::now_utc();
    let ticks = moment
        .replace_nanosecond(moment.nanosecond() / 100 * 100)
        .unwrap_or(moment);
    ticks.format(&Rfc3339).unwrap_or_default()
}

/// A moment some seconds from now, as the services print it.
pub(super) fn stamp_after(seconds: i64) -> String {
    let moment = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    let whole = moment.replace_nanosecond(0).unwrap_or(moment);
    whole.format(&Rfc3339).unwrap_or_default()
}

/// A moment some seconds from now, as HTTP prints it.
pub(super) fn http_date(seconds: i64) -> String {
    let form = "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT";
    let moment = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    let form = time::format_description::parse_borrowed::<2>(form);
    form.ok()
        .and_then(|form| moment.format(&form).ok())
        .unwrap_or_default()
}

/// Seconds since 1970 of a printed moment, if it is one.
pub(super) fn parse_stamp(text: &str) -> Option<f64> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "seconds fit well into 52 bits")]
    Some(moment.unix_timestamp() as f64)
}
