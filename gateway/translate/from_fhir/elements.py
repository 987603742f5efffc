"""FHIR R4 (4.0.1) elements of the resources an order message holds: name, type, and `*` where it repeats.

Enough to tell a known element from an unknown one and a right JSON type from a wrong one. Every element may also have
`id` and `extension`; every resource and every backbone element (capitalised with a dot) `modifierExtension`.

Source: FHIR R4 4.0.1 StructureDefinitions of the types named; libraries.md 1 (the same in R4B for these types).
"""

from types import MappingProxyType

_TABLE = """
Bundle: identifier:Identifier type:code timestamp:instant total:unsignedInt link:Bundle.link* entry:Bundle.entry* signature:Signature
Bundle.link: relation:string url:uri
Bundle.entry: link:Bundle.link* fullUrl:uri resource:Resource search:Bundle.search request:Bundle.request response:Bundle.response
Bundle.search: mode:code score:decimal
Bundle.request: method:code url:uri ifNoneMatch:string ifModifiedSince:instant ifMatch:string ifNoneExist:string
Bundle.response: status:string location:uri etag:string lastModified:instant outcome:Resource
MessageHeader: eventCoding:Coding eventUri:uri destination:MessageHeader.destination* sender:Reference enterer:Reference author:Reference source:MessageHeader.source responsible:Reference reason:CodeableConcept response:MessageHeader.response focus:Reference* definition:canonical
MessageHeader.destination: name:string target:Reference endpoint:url receiver:Reference
MessageHeader.source: name:string software:string version:string contact:ContactPoint endpoint:url
MessageHeader.response: identifier:id code:code details:Reference
MedicationRequest: identifier:Identifier* status:code statusReason:CodeableConcept intent:code category:CodeableConcept* priority:code doNotPerform:boolean reportedBoolean:boolean reportedReference:Reference medicationCodeableConcept:CodeableConcept medicationReference:Reference subject:Reference encounter:Reference supportingInformation:Reference* authoredOn:dateTime requester:Reference performer:Reference performerType:CodeableConcept recorder:Reference reasonCode:CodeableConcept* reasonReference:Reference* instantiatesCanonical:canonical* instantiatesUri:uri* basedOn:Reference* groupIdentifier:Identifier courseOfTherapyType:CodeableConcept insurance:Reference* note:Annotation* dosageInstruction:Dosage* dispenseRequest:MedicationRequest.dispenseRequest substitution:MedicationRequest.substitution priorPrescription:Reference detectedIssue:Reference* eventHistory:Reference*
MedicationRequest.dispenseRequest: initialFill:MedicationRequest.initialFill dispenseInterval:Duration validityPeriod:Period numberOfRepeatsAllowed:unsignedInt quantity:Quantity expectedSupplyDuration:Duration performer:Reference
MedicationRequest.initialFill: quantity:Quantity duration:Duration
MedicationRequest.substitution: allowedBoolean:boolean allowedCodeableConcept:CodeableConcept reason:CodeableConcept
Dosage.doseAndRate: type:CodeableConcept doseRange:Range doseQuantity:Quantity rateRatio:Ratio rateRange:Range rateQuantity:Quantity
Dosage: sequence:integer text:string additionalInstruction:CodeableConcept* patientInstruction:string timing:Timing asNeededBoolean:boolean asNeededCodeableConcept:CodeableConcept site:CodeableConcept route:CodeableConcept method:CodeableConcept doseAndRate:Dosage.doseAndRate* maxDosePerPeriod:Ratio maxDosePerAdministration:Quantity maxDosePerLifetime:Quantity
Timing: event:dateTime* repeat:Timing.repeat code:CodeableConcept
Timing.repeat: boundsDuration:Duration boundsRange:Range boundsPeriod:Period count:positiveInt countMax:positiveInt duration:decimal durationMax:decimal durationUnit:code frequency:positiveInt frequencyMax:positiveInt period:decimal periodMax:decimal periodUnit:code dayOfWeek:code* timeOfDay:time* when:code* offset:unsignedInt
Patient: identifier:Identifier* active:boolean name:HumanName* telecom:ContactPoint* gender:code birthDate:date deceasedBoolean:boolean deceasedDateTime:dateTime address:Address* maritalStatus:CodeableConcept multipleBirthBoolean:boolean multipleBirthInteger:integer photo:Attachment* contact:Patient.contact* communication:Patient.communication* generalPractitioner:Reference* managingOrganization:Reference link:Patient.link*
Patient.contact: relationship:CodeableConcept* name:HumanName telecom:ContactPoint* address:Address gender:code organization:Reference period:Period
Patient.communication: language:CodeableConcept preferred:boolean
Patient.link: other:Reference type:code
PractitionerRole: identifier:Identifier* active:boolean period:Period practitioner:Reference organization:Reference code:CodeableConcept* specialty:CodeableConcept* location:Reference* healthcareService:Reference* telecom:ContactPoint* availableTime:PractitionerRole.availableTime* notAvailable:PractitionerRole.notAvailable* availabilityExceptions:string endpoint:Reference*
PractitionerRole.availableTime: daysOfWeek:code* allDay:boolean availableStartTime:time availableEndTime:time
PractitionerRole.notAvailable: description:string during:Period
Practitioner: identifier:Identifier* active:boolean name:HumanName* telecom:ContactPoint* address:Address* gender:code birthDate:date photo:Attachment* qualification:Practitioner.qualification* communication:CodeableConcept*
Practitioner.qualification: identifier:Identifier* code:CodeableConcept period:Period issuer:Reference
Organization: identifier:Identifier* active:boolean type:CodeableConcept* name:string alias:string* telecom:ContactPoint* address:Address* partOf:Reference contact:Organization.contact* endpoint:Reference*
Organization.contact: purpose:CodeableConcept name:HumanName telecom:ContactPoint* address:Address
HealthcareService: identifier:Identifier* active:boolean providedBy:Reference category:CodeableConcept* type:CodeableConcept* specialty:CodeableConcept* location:Reference* name:string comment:string telecom:ContactPoint* extraDetails:markdown photo:Attachment coverageArea:Reference* serviceProvisionCode:CodeableConcept* eligibility:HealthcareService.eligibility* program:CodeableConcept* characteristic:CodeableConcept* communication:CodeableConcept* referralMethod:CodeableConcept* appointmentRequired:boolean availableTime:HealthcareService.availableTime* notAvailable:HealthcareService.notAvailable* availabilityExceptions:string endpoint:Reference*
Location: identifier:Identifier* status:code name:string alias:string* description:string mode:code type:CodeableConcept* telecom:ContactPoint* address:Address physicalType:CodeableConcept managingOrganization:Reference partOf:Reference operationalStatus:Coding position:Location.position hoursOfOperation:Location.hoursOfOperation* availabilityExceptions:string endpoint:Reference*
Medication: identifier:Identifier* code:CodeableConcept status:code manufacturer:Reference form:CodeableConcept amount:Ratio ingredient:Medication.ingredient* batch:Medication.batch
Medication.ingredient: itemCodeableConcept:CodeableConcept itemReference:Reference isActive:boolean strength:Ratio
Medication.batch: lotNumber:string expirationDate:dateTime
CommunicationRequest: identifier:Identifier* basedOn:Reference* replaces:Reference* groupIdentifier:Identifier status:code statusReason:CodeableConcept category:CodeableConcept* priority:code doNotPerform:boolean medium:CodeableConcept* subject:Reference about:Reference* encounter:Reference payload:CommunicationRequest.payload* occurrenceDateTime:dateTime occurrencePeriod:Period authoredOn:dateTime requester:Reference recipient:Reference* sender:Reference reasonCode:CodeableConcept* reasonReference:Reference* note:Annotation*
CommunicationRequest.payload: contentString:string contentAttachment:Attachment contentReference:Reference
List: identifier:Identifier* status:code mode:code title:string code:CodeableConcept subject:Reference encounter:Reference date:dateTime source:Reference orderedBy:CodeableConcept note:Annotation* entry:List.entry* emptyReason:CodeableConcept
List.entry: flag:CodeableConcept deleted:boolean date:dateTime item:Reference
Provenance: target:Reference* occurredPeriod:Period occurredDateTime:dateTime recorded:instant policy:uri* location:Reference reason:CodeableConcept* activity:CodeableConcept agent:Provenance.agent* entity:Provenance.entity* signature:Signature*
Provenance.agent: type:CodeableConcept role:CodeableConcept* who:Reference onBehalfOf:Reference
Provenance.entity: role:code what:Reference agent:Provenance.agent*
AllergyIntolerance: identifier:Identifier* clinicalStatus:CodeableConcept verificationStatus:CodeableConcept type:code category:code* criticality:code code:CodeableConcept patient:Reference encounter:Reference onsetDateTime:dateTime onsetAge:Quantity onsetPeriod:Period onsetRange:Range onsetString:string recordedDate:dateTime recorder:Reference asserter:Reference lastOccurrence:dateTime note:Annotation* reaction:AllergyIntolerance.reaction*
AllergyIntolerance.reaction: substance:CodeableConcept manifestation:CodeableConcept* description:string onset:dateTime severity:code exposureRoute:CodeableConcept note:Annotation*
Observation: identifier:Identifier* basedOn:Reference* partOf:Reference* status:code category:CodeableConcept* code:CodeableConcept subject:Reference focus:Reference* encounter:Reference effectiveDateTime:dateTime effectivePeriod:Period effectiveTiming:Timing effectiveInstant:instant issued:instant performer:Reference* valueQuantity:Quantity valueCodeableConcept:CodeableConcept valueString:string valueBoolean:boolean valueInteger:integer valueRange:Range valueRatio:Ratio valueTime:time valueDateTime:dateTime valuePeriod:Period dataAbsentReason:CodeableConcept interpretation:CodeableConcept* note:Annotation* bodySite:CodeableConcept method:CodeableConcept valueSampledData:SampledData specimen:Reference device:Reference referenceRange:Observation.referenceRange* hasMember:Reference* derivedFrom:Reference* component:Observation.component*
Observation.referenceRange: low:Quantity high:Quantity type:CodeableConcept appliesTo:CodeableConcept* age:Range text:string
Observation.component: code:CodeableConcept valueQuantity:Quantity valueCodeableConcept:CodeableConcept valueString:string valueBoolean:boolean valueInteger:integer valueRange:Range valueRatio:Ratio valueSampledData:SampledData valueTime:time valueDateTime:dateTime valuePeriod:Period dataAbsentReason:CodeableConcept interpretation:CodeableConcept* referenceRange:Observation.referenceRange*
HealthcareService.eligibility: code:CodeableConcept comment:markdown
HealthcareService.availableTime: daysOfWeek:code* allDay:boolean availableStartTime:time availableEndTime:time
HealthcareService.notAvailable: description:string during:Period
Location.position: longitude:decimal latitude:decimal altitude:decimal
Location.hoursOfOperation: daysOfWeek:code* allDay:boolean openingTime:time closingTime:time
SampledData: origin:Quantity period:decimal factor:decimal lowerLimit:decimal upperLimit:decimal dimensions:positiveInt data:string
Money: value:decimal currency:code
Meta: versionId:id lastUpdated:instant source:uri profile:canonical* security:Coding* tag:Coding*
Narrative: status:code div:xhtml
Identifier: use:code type:CodeableConcept system:uri value:string period:Period assigner:Reference
Coding: system:uri version:string code:code display:string userSelected:boolean
CodeableConcept: coding:Coding* text:string
Reference: reference:string type:uri identifier:Identifier display:string
Quantity: value:decimal comparator:code unit:string system:uri code:code
Duration: value:decimal comparator:code unit:string system:uri code:code
Range: low:Quantity high:Quantity
Ratio: numerator:Quantity denominator:Quantity
Period: start:dateTime end:dateTime
Annotation: authorReference:Reference authorString:string time:dateTime text:markdown
HumanName: use:code text:string family:string given:string* prefix:string* suffix:string* period:Period
Address: use:code type:code text:string line:string* city:string district:string state:string postalCode:string country:string period:Period
ContactPoint: system:code value:string use:code rank:positiveInt period:Period
Attachment: contentType:code language:code data:base64Binary url:url size:unsignedInt hash:base64Binary title:string creation:dateTime
Signature: type:Coding* when:instant who:Reference onBehalfOf:Reference targetFormat:code sigFormat:code data:base64Binary
Extension: url:uri
"""  # noqa: E501 - one type a row

_PRIMITIVE_VALUES = (
    "base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time"
    " unsignedInt uri url uuid"
)
_COMPLEX_VALUES = (
    "Address Annotation Attachment CodeableConcept Coding ContactPoint Duration HumanName Identifier Period Quantity"
    " Range Ratio Reference Signature Timing Dosage Age Count Distance Money SampledData ContactDetail Contributor"
    " DataRequirement Expression ParameterDefinition RelatedArtifact TriggerDefinition UsageContext Meta"
)
_RESOURCE = "id:id meta:Meta implicitRules:uri language:code"
_DOMAIN = f"{_RESOURCE} text:Narrative contained:Resource* modifierExtension:Extension*"


def _rows() -> dict[str, dict[str, str]]:
    table = {}
    for line in _TABLE.strip().splitlines():
        name, _, elements = line.partition(": ")
        table[name] = _pairs(elements)
    return table


def _pairs(elements: str) -> dict[str, str]:
    return {name: kind for name, _, kind in (part.partition(":") for part in elements.split())}


RESOURCES = frozenset(
    "Bundle MessageHeader MedicationRequest Patient PractitionerRole Practitioner Organization HealthcareService"  # noqa: SIM905 - a list to be read
    " Location Medication CommunicationRequest List Provenance AllergyIntolerance Observation".split()
)
"""Resource types that can stand in an order message and are read or known to be left out."""


def _build() -> dict[str, dict[str, str]]:
    table = _rows()
    for name, elements in table.items():
        if name in RESOURCES:
            more = _RESOURCE if name == "Bundle" else _DOMAIN
            elements.update(_pairs(more))
            elements["resourceType"] = "code"
        elif "." in name or name in {"Dosage", "Timing"}:
            elements.update({"modifierExtension": "Extension*", "id": "string"})
        else:
            elements["id"] = "string"
        if name != "Bundle":
            elements["extension"] = "Extension*"
    values = (*_PRIMITIVE_VALUES.split(), *_COMPLEX_VALUES.split())
    table["Extension"].update({f"value{kind[0].upper()}{kind[1:]}": kind for kind in values})
    table["Element"] = {"id": "string", "extension": "Extension*"}
    return table


ELEMENTS = MappingProxyType(_build())
"""Type name to element name to type of its value."""
