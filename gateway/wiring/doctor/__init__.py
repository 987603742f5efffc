"""What `gateway doctor` looks at: the machine, the keys, the configuration and the store of one data folder."""
