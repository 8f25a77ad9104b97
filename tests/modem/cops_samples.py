"""Replies of real modems to AT+COPS=?, and the networks that they list.

Twelve captures from ModemManager's test vectors, four forms that its patterns do not match, and three from issues about 2G
modems. Each is (name, reply, networks as stat, long name, short name, PLMN, access technology).
"""
# ruff: noqa: E501  (a capture stays on one line, as it came)

SAMPLES = [
    (
        "tm506: stray ')' after the numeric code; empty long name",
        '+COPS: (2,"","T-Mobile","31026",0),(2,"T - Mobile","T - Mobile","310260"),2),(1,"AT&T","AT&T","310410"),0)',
        [
            (2, None, "T-Mobile", "31026", 0),
            (2, "T - Mobile", "T - Mobile", "310260", 2),
            (1, "AT&T", "AT&T", "310410", 0),
        ],
    ),
    (
        "motoc: no AcT at all; stat 0; empty short name",
        '+COPS: (2,"T-Mobile","","310260"),(0,"Cingular Wireless","","310410")',
        [
            (2, "T-Mobile", None, "310260", None),
            (0, "Cingular Wireless", None, "310410", None),
        ],
    ),
    (
        "mf627b: empty names; forbidden; trailing comma, no ranges; 0x40 is '@' in ASCII, inverted-! in GSM-7",
        '+COPS: (2,"AT&Tp","AT&T@","310410",0),(3,"","","31026",0),',
        [
            (2, "AT&Tp", "AT&T¡", "310410", 0),
            (3, None, None, "31026", 0),
        ],
    ),
    (
        "quicksilver: 7-digit '3104100' code; ranges written 0-4",
        '+COPS: (2,"AT&T","","310410",0),(2,"","","3104100",2),(1,"AT&T","","310260",0),,(0-4),(0-2)',
        [
            (2, "AT&T", None, "310410", 0),
            (2, None, None, "3104100", 2),
            (1, "AT&T", None, "310260", 0),
        ],
    ),
    (
        "n80: empty unquoted field; no AcT; ranges after ',,'",
        '+COPS: (2,"T - Mobile",,"31026"),(1,"Einstein PCS",,"31064"),(1,"Cingular",,"31041"),,(0,1,3),(0,2)',
        [
            (2, "T - Mobile", None, "31026", None),
            (1, "Einstein PCS", None, "31064", None),
            (1, "Cingular", None, "31041", None),
        ],
    ),
    (
        "xu870: one +COPS: line per operator, CRLF between",
        '+COPS: (0,"AT&T MicroCell","AT&T MicroCell","310410",2)\r\n+COPS: (1,"AT&T MicroCell","AT&T MicroCell","310410",0)\r\n+COPS: (1,"T-Mobile","TMO","31026",0)\r\n',
        [
            (0, "AT&T MicroCell", "AT&T MicroCell", "310410", 2),
            (1, "AT&T MicroCell", "AT&T MicroCell", "310410", 0),
            (1, "T-Mobile", "TMO", "31026", 0),
        ],
    ),
    (
        "n2720: CRLF in the middle of one list",
        '+COPS: (2,"T - Mobile",,"31026",0),\r\n(1,"AT&T",,"310410",0),,(0,1,3),(0,2)',
        [
            (2, "T - Mobile", None, "31026", 0),
            (1, "AT&T", None, "310410", 0),
        ],
    ),
    (
        "sek600i: duplicates; five forbidden; no AcT",
        '+COPS: (2,"blau","","26203"),(2,"blau","","26203"),(3,"","","26201"),(3,"","","26202"),(3,"","","26207"),(3,"","","26201"),(3,"","","26207")',
        [
            (2, "blau", None, "26203", None),
            (2, "blau", None, "26203", None),
            (3, None, None, "26201", None),
            (3, None, None, "26202", None),
            (3, None, None, "26207", None),
            (3, None, None, "26201", None),
            (3, None, None, "26207", None),
        ],
    ),
    (
        "samsung_z810: comma inside quotes",
        '+COPS: (1,"T-Mobile USA, In","T-Mobile","310260",0),(1,"AT&T","AT&T","310410",0),,(0,1,2,3,4),(0,1,2)',
        [
            (1, "T-Mobile USA, In", "T-Mobile", "310260", 0),
            (1, "AT&T", "AT&T", "310410", 0),
        ],
    ),
    (
        "ublox_lara: everything in UCS2 hex (CSCS='UCS2')",
        '+COPS: (2,"004D006F007600690073007400610072","004D006F007600690073007400610072","00320031003400300037",7),(1,"0059004F00490047004F","0059004F00490047004F","00320031003400300034",7),(1,"0076006F006400610066006F006E0065002000450053","0076006F00640061002000450053","00320031003400300031",7),(1,"004F00720061006E00670065002000530050","00450053005000520054","00320031003400300033",0),(1,"0076006F006400610066006F006E0065002000450053","0076006F00640061002000450053","00320031003400300031",0),(1,"004F00720061006E00670065002000530050","00450053005000520054","00320031003400300033",7)',
        [
            (2, "Movistar", "Movistar", "21407", 7),
            (1, "YOIGO", "YOIGO", "21404", 7),
            (1, "vodafone ES", "voda ES", "21401", 7),
            (1, "Orange SP", "ESPRT", "21403", 0),
            (1, "vodafone ES", "voda ES", "21401", 0),
            (1, "Orange SP", "ESPRT", "21403", 7),
        ],
    ),
    (
        "em9191: no ',,' before the ranges; AcT 12; same PLMN on two AcT",
        '+COPS: (1,"Telekom.de","TDG","26201",12),(1,"Telekom.de","Telekom.","26201",7),(1,"o2 - de","o2 - de","26203",7),(1,"vodafone.de","Vodafone","26202",7)(0,1,2,3,4),(0,1,2)',
        [
            (1, "Telekom.de", "TDG", "26201", 12),
            (1, "Telekom.de", "Telekom.", "26201", 7),
            (1, "o2 - de", "o2 - de", "26203", 7),
            (1, "vodafone.de", "Vodafone", "26202", 7),
        ],
    ),
    (
        "umts_invalid: only ranges: zero operators, not an error",
        "+COPS: (0,1,2,3,4),(1,2,3,4,5)",
        [],
    ),
    (
        "parentheses in a name",
        '+COPS: (1,"Vodafone (IE)","voda (IE)","27201",0),(2,"3","3","27205",0),,(0-4),(0-2)',
        [
            (1, "Vodafone (IE)", "voda (IE)", "27201", 0),
            (2, "3", "3", "27205", 0),
        ],
    ),
    (
        "comma in the short name",
        '+COPS: (1,"A, Inc","A,I","27201",0),(2,"3","3","27205",0)',
        [
            (1, "A, Inc", "A,I", "27201", 0),
            (2, "3", "3", "27205", 0),
        ],
    ),
    (
        "access technology only in some",
        '+COPS: (2,"vodafone IE","voda IE","27201"),(1,"3","3","27205"),(3,"Meteor","METEOR","27203",7),,(0-4),(0-2)',
        [
            (2, "vodafone IE", "voda IE", "27201", None),
            (1, "3", "3", "27205", None),
            (3, "Meteor", "METEOR", "27203", 7),
        ],
    ),
    (
        "no space behind the colon",
        '+COPS:(2,"3","3","27205",0)',
        [
            (2, "3", "3", "27205", 0),
        ],
    ),
    (
        "SIM800L",
        '+COPS: (2,"vodafone","voda IT","22210"),(1,"Wind Telecom SpA","I WIND","22288"),,(0-4),(0-2)',
        [
            (2, "vodafone", "voda IT", "22210", None),
            (1, "Wind Telecom SpA", "I WIND", "22288", None),
        ],
    ),
    (
        "SIM7080G",
        '+COPS: (1,"F SFR","SFR","20810",9),(2,"F-Bouygues Telecom","BYTEL","20820",7),,(0,1,2,3,4),(0,1,2)',
        [
            (1, "F SFR", "SFR", "20810", 9),
            (2, "F-Bouygues Telecom", "BYTEL", "20820", 7),
        ],
    ),
    (
        "forbidden and doubled",
        '+COPS: (1,"Vodafone.de","Vodafone","26202",0),(1,"Vodafone.de","Vodafone","26202",2),(1,"E-Plus","E-Plus","26203",0),(3,"Telekom.de","TDG","26201",0),(2,"o2 - de","o2 - de","26203",2),,(0-4),(0-2)',
        [
            (1, "Vodafone.de", "Vodafone", "26202", 0),
            (1, "Vodafone.de", "Vodafone", "26202", 2),
            (1, "E-Plus", "E-Plus", "26203", 0),
            (3, "Telekom.de", "TDG", "26201", 0),
            (2, "o2 - de", "o2 - de", "26203", 2),
        ],
    ),
]
