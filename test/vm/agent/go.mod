module karmada-net/vm-agent

go 1.26
