//! What a program is told of itself, chance, and the sockets that nobody gets.

use wasip2::cli::{environment, exit, terminal_stderr, terminal_stdin, terminal_stdout};
use wasip2::random::{insecure, insecure_seed, random};
use wasip2::sockets::network::{ErrorCode, IpAddressFamily};
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};

use super::{Check, same};

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "cli/environment get-environment" => get_environment,
        "cli/environment get-arguments" => get_arguments,
        "cli/environment initial-cwd" => initial_cwd,
        "cli/exit exit" => || {
            exit::exit(Ok(()));
            Ok(())
        },
        "cli/exit exit, failing" => || {
            exit::exit(Err(()));
            Ok(())
        },
        "cli/exit exit-with-code" => || {
            exit::exit_with_code(7);
            Ok(())
        },
        "cli/terminal-stdin get-terminal-stdin" => || {
            same!(terminal_stdin::get_terminal_stdin().is_none(), true);
            Ok(())
        },
        "cli/terminal-stdout get-terminal-stdout" => || {
            same!(terminal_stdout::get_terminal_stdout().is_none(), true);
            Ok(())
        },
        "cli/terminal-stderr get-terminal-stderr" => || {
            same!(terminal_stderr::get_terminal_stderr().is_none(), true);
            Ok(())
        },
        _ => return outside(function),
    })
}

fn outside(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "random/random get-random-bytes" => get_random_bytes,
        "random/random get-random-u64" => get_random_u64,
        "random/insecure get-insecure-random-bytes" => get_insecure_random_bytes,
        "random/insecure get-insecure-random-u64" => get_insecure_random_u64,
        "random/insecure-seed insecure-seed" => seed,
        "sockets/instance-network instance-network" => || {
            drop(instance_network::instance_network());
            Ok(())
        },
        "sockets/ip-name-lookup resolve-addresses" => resolve_addresses,
        "sockets/tcp-create-socket create-tcp-socket" => create_tcp_socket,
        "sockets/udp-create-socket create-udp-socket" => create_udp_socket,
        _ => return None,
    })
}

fn get_environment() -> Check {
    same!(environment::get_environment(), []);
    same!(environment::get_environment(), []);
    Ok(())
}

fn get_arguments() -> Check {
    let arguments = environment::get_arguments();
    same!(arguments, ["run", "wasi cli/environment get-arguments"]);
    same!(environment::get_arguments(), arguments);
    Ok(())
}

fn initial_cwd() -> Check {
    same!(environment::initial_cwd(), Some("/".to_owned()));
    Ok(())
}

/// Bytes of any length, which come as if by chance and never twice.
fn by_chance(bytes: fn(u64) -> Vec<u8>) -> Check {
    for len in [0, 1, 7, 256, 1 << 20] {
        same!(bytes(len).len() as u64, len);
    }
    let (one, other) = (bytes(4096), bytes(4096));
    same!(one == other, false);
    // Every value is there: that one is missing by chance happens once in thirty thousand seeds.
    let seen = (0..=u8::MAX).filter(|byte| one.contains(byte)).count();
    same!(seen, 256);
    Ok(())
}

fn get_random_bytes() -> Check {
    by_chance(random::get_random_bytes)
}

fn get_insecure_random_bytes() -> Check {
    by_chance(insecure::get_insecure_random_bytes)
}

fn get_random_u64() -> Check {
    same!(random::get_random_u64() == random::get_random_u64(), false);
    Ok(())
}

fn get_insecure_random_u64() -> Check {
    same!(insecure::get_insecure_random_u64() == insecure::get_insecure_random_u64(), false);
    Ok(())
}

/// It stands for a value that is imported once.
fn seed() -> Check {
    let seed = insecure_seed::insecure_seed();
    same!(insecure_seed::insecure_seed(), seed);
    same!(seed.0 == seed.1, false);
    Ok(())
}

fn resolve_addresses() -> Check {
    let network = instance_network::instance_network();
    let found = ip_name_lookup::resolve_addresses(&network, "example.com");
    same!(found.err(), Some(ErrorCode::AccessDenied));
    Ok(())
}

fn create_tcp_socket() -> Check {
    for family in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
        let made = tcp_create_socket::create_tcp_socket(family);
        same!(made.err(), Some(ErrorCode::AccessDenied));
    }
    Ok(())
}

fn create_udp_socket() -> Check {
    for family in [IpAddressFamily::Ipv4, IpAddressFamily::Ipv6] {
        let made = udp_create_socket::create_udp_socket(family);
        same!(made.err(), Some(ErrorCode::AccessDenied));
    }
    Ok(())
}
