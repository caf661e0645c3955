# Starts the station with the PC, as a user of its own (docs/stations.md). Run as administrator.
param(
    [Parameter(Mandatory)] [string] $Service,
    [string] $Data = "$env:ProgramData\haoka-station",
    [string] $Readers = "pcsc:",
    [string] $User = "haoka-station"
)

$folder = Split-Path -Parent $PSScriptRoot
$action = New-ScheduledTaskAction -Execute "$folder\.venv\Scripts\python.exe" -WorkingDirectory $folder `
    -Argument "-m cardwriter.station run --service $Service --data `"$Data`" --readers $Readers"
# Without a limit of time: Windows ends a task after three days otherwise.
$settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries `
    -DontStopIfGoingOnBatteries -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1)
$password = (Get-Credential -UserName $User -Message "Password of the station's user").GetNetworkCredential().Password
Register-ScheduledTask -TaskName "Haoka station" -Action $action -Settings $settings -Force `
    -Trigger (New-ScheduledTaskTrigger -AtStartup) -User $User -Password $password
Start-ScheduledTask -TaskName "Haoka station"
