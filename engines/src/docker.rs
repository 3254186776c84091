//! What is asked of the Docker daemon itself.

use std::collections::HashMap;

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;

use crate::Error;

/// For the keeper: removes the containers with a label.
pub(crate) async fn remove_labelled(label: &str) -> Result<(), Error> {
    let docker = docker().await?;
    for (id, _) in list(&docker, label).await? {
        remove(&docker, &id).await?;
    }
    Ok(())
}

/// The containers with a label: their ids, and all their labels.
pub(crate) async fn list(
    docker: &Docker,
    label: &str,
) -> Result<Vec<(String, HashMap<String, String>)>, Error> {
    let filter = HashMap::from([("label", vec![label])]);
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filter)
        .build();
    let found = docker
        .list_containers(Some(options))
        .await
        .map_err(refused("listing containers"))?;
    Ok(found
        .into_iter()
        .filter_map(|one| Some((one.id?, one.labels.unwrap_or_default())))
        .collect())
}

/// Removes a container with its volumes, running or not.
pub(crate) async fn remove(docker: &Docker, id: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::new()
        .force(true)
        .v(true)
        .build();
    docker
        .remove_container(id, Some(options))
        .await
        .map_err(refused("removing a container"))
}

/// Whether an image is there.
pub(crate) async fn has_image(docker: &Docker, name: &str, tag: &str) -> bool {
    docker.inspect_image(&format!("{name}:{tag}")).await.is_ok()
}

/// The daemon.
pub(crate) async fn docker() -> Result<Docker, Error> {
    docker_client_instance()
        .await
        .map_err(refused("being found"))
}

/// The error for what the daemon did not do.
pub(crate) fn refused<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
    let what = what.into();
    move |error| Error::Docker {
        what,
        reason: error.to_string(),
    }
}
