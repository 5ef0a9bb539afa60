//! Look-ups that fill the lists.

use super::prompt::Choice;
use crate::{
    aiven::{Place, api},
    azure::arm,
    clouds::Clouds,
    http::ApiError,
    net::{RANGE_SEPARATOR, VnetId},
};

/// A list for the person, and the value that each of its items stands for.
pub type List = (Vec<Choice>, Vec<String>);

/// The subscriptions that can be used.
///
/// # Errors
/// What Azure said.
pub async fn subscriptions(w: &Clouds) -> Result<Vec<arm::Subscription>, ApiError> {
    let mut all = w.list(&arm::subscriptions()).await?;
    all.retain(|it| !matches!(it.state.as_deref(), Some("Disabled" | "Deleted")));
    all.sort_by(|a, b| a.display_name.cmp(&b.display_name));
    Ok(all)
}

/// A list of VNets.
#[must_use]
pub fn vnets(vnets: &[arm::Vnet]) -> List {
    vnets
        .iter()
        .map(|vnet| {
            let ranges = vnet
                .properties
                .address_space
                .address_prefixes
                .join(RANGE_SEPARATOR);
            let group = VnetId::parse(&vnet.id)
                .map(|id| id.resource_group)
                .unwrap_or_default();
            let note = format!("{}  {ranges}  {group}", vnet.location);
            (Choice::new(&vnet.name, note), vnet.id.clone())
        })
        .unzip()
}

/// The projects that the token can see.
///
/// # Errors
/// What Aiven said.
pub async fn projects(w: &Clouds) -> Result<List, ApiError> {
    let all = w.send(&api::projects()).await?.projects;
    Ok(all
        .into_iter()
        .map(|it| (Choice::new(&it.project_name, ""), it.project_name))
        .unzip())
}

/// The organizations that the token can see.
///
/// # Errors
/// What Aiven said.
pub async fn organizations(w: &Clouds) -> Result<List, ApiError> {
    let all = w.send(&api::organizations()).await?.organizations;
    Ok(all
        .into_iter()
        .map(|it| {
            (
                Choice::new(it.organization_name, &it.organization_id),
                it.organization_id,
            )
        })
        .unzip())
}

/// The VPCs that can be peered, and what is wrong with the others.
///
/// # Errors
/// What Aiven said.
pub async fn vpcs(w: &Clouds, place: Place, owner: &str) -> Result<(List, Vec<String>), ApiError> {
    let all = w.send(&api::vpcs(place, owner)).await?.vpcs;
    let (good, bad): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|vpc| vpc.is_on_azure() && vpc.state == "ACTIVE");
    let list = good
        .iter()
        .map(|vpc| {
            let clouds = vpc.cloud_names().join(RANGE_SEPARATOR);
            let ranges = vpc.ranges().join(RANGE_SEPARATOR);
            let label = match &vpc.display_name {
                Some(name) => format!("{name} ({})", vpc.id()),
                None => vpc.id().to_owned(),
            };
            (
                Choice::new(label, format!("{clouds}  {ranges}")),
                vpc.id().to_owned(),
            )
        })
        .unzip();
    let others = bad
        .iter()
        .map(|vpc| {
            format!(
                "{} is on {} in state {}",
                vpc.id(),
                vpc.cloud_names().join(RANGE_SEPARATOR),
                vpc.state
            )
        })
        .collect();
    Ok((list, others))
}
