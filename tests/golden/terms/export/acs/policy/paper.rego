# Exported from a contract; exporter 1. What is not allowed here is denied.
package envelope.paper

import rego.v1

evidence := {"artefact": "sha256:03be24d8ddaa0eff7521c0cb95a009135018f0aa56e8bfa31005d0ff6fa4b909"}

deny(reason) := {"decision": "deny", "reason": reason, "evidence": evidence}

# The labels of the data that each action may be handed.
labels := {
	"mail.draft": {"public", "internal"},
	"pdf.read": {"public", "internal", "confidential"},
	"web.search": {"public"},
}

hosts := {"-", "api.tenders.example"}

below := {"gazette.example"}

is_agent if input.snapshot.envelope.agent.id == "did:web:lantern.example:tender-scout"

in_time if within(input.snapshot.envelope.budgets.elapsed_seconds, 5400)

has_calls if within(input.snapshot.envelope.budgets.tool_call_count, 2000)

has_tokens if within(input.snapshot.envelope.budgets.token_count, 4000000)

has_money if within(input.snapshot.envelope.budgets.cost_usd, 25)

is_action if labels[input.tool.name]

is_cleared if {
	is_array(input.snapshot.ifc.source_labels)
	count(input.snapshot.ifc.source_labels) > 0
	every label in input.snapshot.ifc.source_labels {
		label in labels[input.tool.name]
	}
}

is_host if input.snapshot.egress.host in hosts

is_host if {
	parts := split(input.snapshot.egress.host, ".")
	parts[0] != ""
	concat(".", array.slice(parts, 1, count(parts))) in below
}

within(used, ceiling) if {
	0 <= used
	used < ceiling
}

default call := {"decision": "deny", "reason": "paper"}

call := allow if {
	is_agent
	is_action
	is_cleared
	is_host
	in_time
	has_calls
	has_tokens
	has_money
} else := deny("paper_agent") if {
	not is_agent
} else := deny("paper_action") if {
	not is_action
} else := deny("paper_data") if {
	not is_cleared
} else := deny("paper_host") if {
	not is_host
} else := deny("paper_session") if {
	not in_time
} else := deny("paper_calls") if {
	not has_calls
} else := deny("paper_tokens") if {
	not has_tokens
} else := deny("paper_spending") if {
	not has_money
}

default model := {"decision": "deny", "reason": "paper"}

model := allow if {
	is_agent
	in_time
	has_tokens
	has_money
} else := deny("paper_agent") if {
	not is_agent
} else := deny("paper_session") if {
	not in_time
} else := deny("paper_tokens") if {
	not has_tokens
} else := deny("paper_spending") if {
	not has_money
}

default session := {"decision": "deny", "reason": "paper"}

session := allow if {
	is_agent
	in_time
} else := deny("paper_agent") if {
	not is_agent
} else := deny("paper_session") if {
	not in_time
}

default end := {"decision": "deny", "reason": "paper"}

end := allow if {
	is_agent
} else := deny("paper_agent") if {
	not is_agent
}

allow := {"decision": "allow", "evidence": evidence}
