//! Wasmtime's engine and the compiling of components.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use wasmtime::component::Component;
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use crate::manifest;

/// The tick in which running guests are interrupted.
const TICK: Duration = Duration::from_millis(10);
/// Instances that can be alive at a time, as on Spin.
const MAX_INSTANCES: u32 = 1000;
/// Core modules in a component: the program and its adapters.
const MAX_CORE_INSTANCES: u32 = 4 * MAX_INSTANCES;
/// Memory of an ended instance that is kept for the next one: with what Spin keeps, 2 MiB, a
/// thousand instances that were alive once would be paid for ever.
const KEPT_MEMORY_BYTES: usize = 64 << 10;
/// Places of ended instances that wait for their component to come again.
const MAX_WARM_PLACES: u32 = 32;

/// An engine whose compiled code is kept in `cache_dir`, by content.
///
/// # Errors
/// The folder cannot be created, or the machine lacks what Wasmtime needs.
pub fn new(cache_dir: &Path) -> anyhow::Result<Engine> {
    std::fs::create_dir_all(cache_dir)
        .with_context(|| format!("cannot create {}", cache_dir.display()))?;
    let mut cache = CacheConfig::new();
    cache.with_directory(cache_dir.canonicalize()?);
    let mut config = Config::new();
    config.cache(Some(Cache::new(cache)?));
    config.epoch_interruption(true);
    config.wasm_component_model_async(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    let engine = Engine::new(&config)?;
    tick(&engine)?;
    Ok(engine)
}

/// Instances come from a pool of address space, which makes a new one cheap.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(MAX_INSTANCES)
        .total_memories(MAX_INSTANCES)
        .total_tables(2 * MAX_INSTANCES)
        .total_stacks(MAX_INSTANCES)
        .total_core_instances(MAX_CORE_INSTANCES)
        .table_elements(100_000)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(KEPT_MEMORY_BYTES)
        .table_keep_resident(KEPT_MEMORY_BYTES / 4)
        .max_unused_warm_slots(MAX_WARM_PLACES);
    pool
}

/// Drives the interruption of guests for as long as the engine is in use.
fn tick(engine: &Engine) -> anyhow::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
    Ok(())
}

/// Loads a component's file, compiling it unless the cache has it.
///
/// # Errors
/// The file is missing (says how to build it) or is no component.
pub fn load(
    engine: &Engine,
    root: &Path,
    id: &str,
    component: &manifest::Component,
) -> anyhow::Result<Component> {
    let path = root.join(&component.source);
    if !path.is_file() {
        match &component.build {
            Some(build) => bail!(
                "component `{id}`: {} does not exist; build it with `{}`",
                path.display(),
                build.command
            ),
            None => bail!("component `{id}`: {} does not exist", path.display()),
        }
    }
    Component::from_file(engine, &path)
        .map_err(anyhow::Error::from)
        .with_context(|| {
            format!(
                "component `{id}`: {} is not a WebAssembly component",
                path.display()
            )
        })
}
