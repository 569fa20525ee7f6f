"""Pure decisions: spec + observed facts -> Plan. Touches no clock, disk, network or environment."""
