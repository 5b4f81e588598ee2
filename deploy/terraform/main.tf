# User data (cloud-init) for machines that run a hub or an agent in a container under systemd. It names no cloud and needs
# no provider: give `hub_user_data` and `agent_user_data` to the machines of any of them.
terraform {
  required_version = ">= 1.6"
}

variable "hub_image" {
  description = "Image of the hub, with registry and version."
  type        = string
  validation {
    condition     = can(regex("^[^:@]+(:[0-9]+)?/[^:@]+:[^:@]*[0-9][^:@]*$", var.hub_image))
    error_message = "Name a registry and a version: registry.example.com/outrider-hub:0.1.0."
  }
}

variable "agent_image" {
  description = "Image of the agent, with registry and version."
  type        = string
  validation {
    condition     = can(regex("^[^:@]+(:[0-9]+)?/[^:@]+:[^:@]*[0-9][^:@]*$", var.agent_image))
    error_message = "Name a registry and a version: registry.example.com/outrider-agent:0.1.0."
  }
}

variable "advertise" {
  description = "Name by which people and agents reach the hub. It goes into its certificate and into join tokens."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", var.advertise))
    error_message = "A host name or an IPv4 address, without a port."
  }
}

variable "target" {
  description = "What the hub runs: all, or services joined by commas."
  type        = string
  default     = "all"
}

variable "hub_settings" {
  description = "Settings of the hub (deploy/SETTINGS.md), stronger than listen and advertise here."
  type        = any
  default     = {}
}

variable "hub_secrets" {
  description = "Files below /run/secrets/outrider by name, for settings that end in File. They stand in the user data and in the state: better leave them to a secret store where there is one."
  type        = map(string)
  default     = {}
  sensitive   = true
  validation {
    condition     = alltrue([for name in keys(var.hub_secrets) : can(regex("^[A-Za-z0-9._-]+$", name))])
    error_message = "Names of files, without a folder."
  }
}

variable "agent_settings" {
  description = "Settings of the agents (deploy/SETTINGS.md)."
  type        = any
  default     = {}
}

variable "join_token" {
  description = "Join token of the agents (outrider-hub token create --uses 20); empty leaves enrolment to somebody else."
  type        = string
  default     = ""
  sensitive   = true
}

locals {
  hub_user_data = templatefile("${path.module}/cloud-init/hub.yaml.tftpl", {
    image    = var.hub_image
    target   = var.target
    settings = yamlencode(merge({ listen = "0.0.0.0", advertise = var.advertise }, var.hub_settings))
    secrets  = var.hub_secrets
    ports    = [try(var.hub_settings.port, 8080), try(var.hub_settings.ingest.port, 4320)]
  })
  agent_user_data = templatefile("${path.module}/cloud-init/agent.yaml.tftpl", {
    image    = var.agent_image
    settings = yamlencode(var.agent_settings)
    token    = var.join_token
  })
}

# For lifecycle.replace_triggered_by of the machines: another image or setting makes new ones.
resource "terraform_data" "hub" {
  input = nonsensitive(sha256(local.hub_user_data))
}

resource "terraform_data" "agent" {
  # A token is used once: another one is no reason for a new machine.
  input = sha256(join("\n", [var.agent_image, yamlencode(var.agent_settings)]))
}

output "hub_user_data" {
  description = "cloud-init of the hub's machine."
  value       = local.hub_user_data
  sensitive   = true
}

output "agent_user_data" {
  description = "cloud-init of a machine that is watched."
  value       = local.agent_user_data
  sensitive   = true
}

output "ports" {
  description = "Ports that a firewall opens to people (first) and to agents (second)."
  value       = [try(var.hub_settings.port, 8080), try(var.hub_settings.ingest.port, 4320)]
}

output "agent_generation" {
  description = "Changes with the agents' image and settings."
  value       = terraform_data.agent.output
}
