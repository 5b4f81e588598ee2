variables {
  hub_image   = "registry.example.com/outrider-hub:0.1.0"
  agent_image = "registry.example.com/outrider-agent:0.1.0"
  advertise   = "hub.example.com"
}

run "defaults" {
  assert {
    condition     = yamldecode(yamldecode(output.hub_user_data).write_files[0].content).advertise == "hub.example.com"
    error_message = "The hub does not know its name."
  }
  assert {
    condition     = output.ports == [8080, 4320]
    error_message = "The firewall opens other ports than the hub has."
  }
}

run "a_token_is_no_reason_for_a_new_machine" {
  variables {
    join_token = "orj_another"
  }
  assert {
    condition     = terraform_data.agent.output == run.defaults.agent_generation
    error_message = "Another token replaces machines."
  }
}

run "an_image_that_moves" {
  command = plan
  variables {
    hub_image = "registry.example.com/outrider-hub:latest"
  }
  expect_failures = [var.hub_image]
}

run "a_name_with_a_port" {
  command = plan
  variables {
    advertise = "hub.example.com:8080"
  }
  expect_failures = [var.advertise]
}
