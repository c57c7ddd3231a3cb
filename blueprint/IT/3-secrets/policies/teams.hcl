# Reads what teams keep below teams/; writes nothing.
path "secret/data/teams/*" {
  capabilities = ["read"]
}

path "secret/metadata/teams/*" {
  capabilities = ["read", "list"]
}
