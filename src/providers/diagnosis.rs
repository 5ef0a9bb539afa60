//! Why a provider that makes its half as a principal of yours could not: looked up on your side.

use crate::{
    azure::{
        arm,
        keys::{Side, USER_TENANT_ID, USER_VNET_ID, USER_VNET_RANGES},
    },
    clouds::Clouds,
    fact::{Facts, Named},
    http::ApiError,
    net::{self, covers, leaf},
};

/// What [`diagnose`] reads.
#[must_use]
pub const fn reads(side: &Side) -> [Named; 6] {
    [
        USER_VNET_ID.named(),
        USER_VNET_RANGES.named(),
        USER_TENANT_ID.named(),
        side.sp_id.named(),
        side.role_id.named(),
        side.range.named(),
    ]
}

/// What was found on your side.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// What is wrong, and what to do.
    pub wrong: Vec<String>,
    /// What is as it should be.
    pub good: Vec<&'static str>,
}

impl Diagnosis {
    /// Whether something was looked at, and nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.wrong.is_empty() && !self.good.is_empty()
    }

    /// For the person.
    #[must_use]
    pub fn hints(self) -> Vec<String> {
        if !self.is_clean() {
            return self.wrong;
        }
        let good = self.good.join(", ");
        vec![format!(
            "looked: {good}; a role assigned a moment ago may not have reached the provider"
        )]
    }
}

/// Looks for the cause of a refusal instead of guessing it; `told` is the tenant that the provider was told. A look that is not
/// allowed tells nothing.
///
/// # Errors
/// When a look failed in passing.
pub async fn diagnose(
    w: &Clouds,
    f: &Facts,
    side: &Side,
    told: Option<&str>,
) -> Result<Diagnosis, ApiError> {
    let Diagnosis {
        mut wrong,
        mut good,
    } = Diagnosis::default();
    let Ok(vnet) = f.get(USER_VNET_ID) else {
        return Ok(Diagnosis::default());
    };
    match w.look(&arm::vnet(&vnet)).await {
        Ok(Some(_)) => good.push("the VNet is there"),
        Ok(None) => wrong.push(format!("the VNet `{}` is not there any more", vnet.name)),
        Err(error) => not_allowed(error)?,
    }
    if let (Ok(principal), Ok(role)) = (f.get(side.sp_id), f.get(side.role_id)) {
        let scope = vnet.to_string();
        let call = arm::assignments(&scope, Some(principal.as_ref()));
        match w.list(&call).await {
            Ok(list) => {
                let has = list.iter().any(|it| {
                    leaf(&it.properties.role_definition_id)
                        .eq_ignore_ascii_case(leaf(role.as_ref()))
                        && covers(&it.properties.scope, &scope)
                });
                if has {
                    good.push("the provider's principal has its role on it");
                } else {
                    wrong.push("the provider's principal has lost its role on the VNet: undo this run and begin anew, or assign the role again".into());
                }
            }
            Err(error) => not_allowed(error)?,
        }
    }
    if let (Ok(ours), Ok(theirs)) = (f.get(USER_VNET_RANGES), f.get(side.range)) {
        match net::overlaps(&ours.texts(), &theirs.texts()).first() {
            Some((mine, other)) => wrong.push(format!("the VNet's range {mine} overlaps {other}")),
            None => good.push("the ranges do not overlap"),
        }
    }
    if let (Ok(mine), Some(theirs)) = (f.get(USER_TENANT_ID), told)
        && !theirs.eq_ignore_ascii_case(mine.as_ref())
    {
        wrong.push(format!(
            "the provider was told the tenant {theirs}, and yours is {mine}"
        ));
    }
    Ok(Diagnosis { wrong, good })
}

/// What fails in passing is asked again; any other failure tells nothing.
///
/// # Errors
/// When it fails in passing.
pub fn not_allowed(error: ApiError) -> Result<(), ApiError> {
    match error.passing() {
        Some(_) => Err(error),
        None => Ok(()),
    }
}
